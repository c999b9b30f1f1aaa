"""What runs in the box: it is copied there beside a raftlab without the answers, and imports that."""
