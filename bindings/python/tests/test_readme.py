"""The examples of the README are run as they stand there."""

from __future__ import annotations

import doctest
import re

from conftest import ROOT


def test_the_readme_shows_what_happens() -> None:
    text = (ROOT / "bindings" / "python" / "README.md").read_text(encoding="utf-8")
    examples = "\n".join(re.findall(r"```pycon\n(.*?)```", text, re.DOTALL))
    test = doctest.DocTestParser().get_doctest(examples, {}, "README.md", "README.md", 0)
    assert len(test.examples) > 15
    runner = doctest.DocTestRunner(optionflags=doctest.REPORT_NDIFF)
    output: list[str] = []
    runner.run(test, out=output.append)
    assert runner.failures == 0, "".join(output)
