"""Of what a program wrote when it failed, the fault quotes the error and its line."""

import sys

import pytest

import raftlab as rl
from raftlab.process import MachineFault
from raftlab.process.last_words import KEPT, last_words
from tests.process.languages import LANGUAGES, process_of

NODE = "    at Module._compile (node:internal/modules/cjs/loader:1521:14)\n\nNode.js v20.0.0\n"
WRITTEN = {
    "nothing": ("", ""),
    "a sentence": ("reads its file\ncannot find it\n", "cannot find it"),
    "Node, an error in a call": (
        "/home/ann b/mine.js:7\n    this.gone();\n         ^\n\nTypeError: this.gone is none\n"
        f"    at Raft.on_tick (/home/ann b/mine.js:7:10)\n{NODE}",
        "TypeError: this.gone is none (mine.js, line 7)",
    ),
    "Node, an error of its own library": (
        "<anonymous_script>:1\nx\n^\n\nSyntaxError: x is no JSON\n    at JSON.parse (<anonymous>)\n"
        f"    at Interface.answerLine (/home/ann/mine.js:3:5)\n{NODE}",
        "SyntaxError: x is no JSON (mine.js, line 3)",
    ),
    "Node, a file that another one reads": (
        "/home/ann/part.js:2\nfunction (\n\n\nSyntaxError: Unexpected end of input\n"
        "    at wrapSafe (node:internal/modules/cjs/loader:1464:18)\n"
        "    at Module.load (node:internal/modules/cjs/loader:1266:32)\n"
        "    at require (node:internal/modules/helpers:182:18)\n"
        f"    at Object.<anonymous> (/home/ann/main.js:1:1)\n{NODE}",
        "SyntaxError: Unexpected end of input (part.js, line 2)",
    ),
    "Node, a module": (
        "file:///home/ann/mine.mjs:3\nx.y\n^\n\nReferenceError: x is not defined\n"
        f"    at file:///home/ann/mine.mjs:3:1\n{NODE}",
        "ReferenceError: x is not defined (mine.mjs, line 3)",
    ),
    "Node, a class of errors": (
        "/a/mine.js:2\nthrow new Own()\n^\n\n"
        f"Own [Error]: hello\n    at g (/a/mine.js:2:22)\n{NODE}",
        "Own [Error]: hello (mine.js, line 2)",
    ),
    "Node, a text": (
        '\n/a/mine.js:1\nthrow "gone";\n^\ngone\n(Use `node --trace-uncaught ...` to show where the'
        " exception was thrown)\n\nNode.js v20.0.0\n",
        "gone (mine.js, line 1)",
    ),
    "Python": (
        'Traceback (most recent call last):\n  File "/a/mine.py", line 4, in <module>\n    f()\n'
        '  File "/usr/lib/python3.11/json/decoder.py", line 355, in raw_decode\n    raise\n'
        "json.decoder.JSONDecodeError: Expecting value\n",
        "json.decoder.JSONDecodeError: Expecting value (mine.py, line 4)",
    ),
    "Python, an error of one's own": (
        "Error: 3 retries left\nTraceback (most recent call last):\n"
        '  File "/a/mine.py", line 9, in <module>\n    raise Halt("bad")\n__main__.Halt: bad\n',
        "__main__.Halt: bad (mine.py, line 9)",
    ),
    "Python, an error while another was handled": (
        'Traceback (most recent call last):\n  File "/a/mine.py", line 2, in f\n    {}["x"]\n'
        "KeyError: 'x'\n\nDuring handling of the above exception, another exception occurred:\n\n"
        'Traceback (most recent call last):\n  File "/a/mine.py", line 4, in <module>\n'
        "    raise Halt(text)\n__main__.Halt: two lines,\nError: the second\n",
        "__main__.Halt: two lines, (mine.py, line 4)",
    ),
    "Python, killed while it wrote": (
        'Traceback (most recent call last):\n  File "/a/mine.py", line 9, in <module>\n',
        'File "/a/mine.py", line 9, in <module> (mine.py, line 9)',
    ),
    "an address is no place": ("served 12 at 10.0.0.1:8080\n", "served 12 at 10.0.0.1:8080"),
    "addresses are no places": (
        "10.0.0.1:80\nno answer (10.0.0.1:80)\n",
        "no answer (10.0.0.1:80)",
    ),
    "Java": (
        'Exception in thread "main" java.lang.NumberFormatException: "x"\n'
        "\tat java.base/java.lang.Integer.parseInt(Integer.java:668)\n"
        "\tat MyRaft.told(MyRaft.java:55)\n\tat MyRaft.main(MyRaft.java:70)\n",
        'Exception in thread "main" java.lang.NumberFormatException: "x" (MyRaft.java, line 55)',
    ),
    "Go": (
        "panic: runtime error: index out of range [5]\n\ngoroutine 1 [running]:\nmain.main()\n"
        "\t/a/my_raft.go:12 +0x1d\nexit status 2\n",
        "panic: runtime error: index out of range [5] (my_raft.go, line 12)",
    ),
    "Go, a folder of one's own that is called as its library's": (
        "panic: gone\n\ngoroutine 1 [running]:\nsort.Slice()\n"
        "\t/usr/local/go/src/sort/slice.go:20\n"
        "heap.Pop()\n\t/usr/lib/go-1.22/src/heap/heap.go:59\n"
        "main.main()\n\t/home/ann/go/src/raft/my_raft.go:12 +0x1d\nexit status 2\n",
        "panic: gone (my_raft.go, line 12)",
    ),
    "Rust": (
        "thread 'main' (77) panicked at src/main.rs:3:21:\nindex out of bounds\n"
        "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n",
        "index out of bounds (main.rs, line 3)",
    ),
    "colours and bells": ("\x1b[31mError: red\x1b[0m\a\n", "Error: red"),
}


@pytest.mark.parametrize(("written", "quoted"), WRITTEN.values(), ids=WRITTEN)
def test_the_line_that_tells_most_is_quoted_with_its_place(written, quoted):
    assert last_words(written.encode()) == quoted


def test_what_is_quoted_is_short():
    assert len(last_words(b"Error: " + b"x" * KEPT)) <= 300
    long = f"Error: a\n    at f (/a/{'x' * 500}.js:3:1)\n"
    assert len(last_words(long.encode())) < 200


WRONG = {"python": ("mine.py", "x = 1\nx y\n"), "javascript": ("mine.js", "let x = 1;\nx y;\n")}


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_error_of_syntax_is_told_with_its_line(language, tmp_path):
    name, text = WRONG[language]
    (path := tmp_path / name).write_text(text)
    with pytest.raises(MachineFault) as fault:
        rl.Cluster(3, machine=process_of(language, path))
    assert "SyntaxError: " in fault.value.text
    assert fault.value.text.endswith(f" ({path.name}, line 2)")


def test_an_error_in_a_run_is_told_with_its_line(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("import sys\nfor text in sys.stdin:\n    print(nothing)\n")
    with pytest.raises(MachineFault, match=r"NameError: .* \(mine\.py, line 3\)$"):
        rl.Cluster(3, machine=rl.Process([sys.executable, str(path)]))
