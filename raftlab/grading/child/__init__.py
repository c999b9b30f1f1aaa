"""What runs in the box: copied there beside a raftlab without the answers, which it imports."""
