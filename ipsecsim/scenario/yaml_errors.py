"""What the YAML parser complains about, said in words a person can act on."""

import re

from ruamel.yaml.error import MarkedYAMLError, YAMLError

_CANNOT_START = re.compile(r"found character '(.+)' that cannot start any token")


def explain(error: MarkedYAMLError, lines: list[str]) -> tuple[str, int, int]:
    """Message, line and column (from 1) for an error of the scanner or parser."""
    problem = str(error.problem or "")
    context = str(error.context or "")
    line, column = _position(error.problem_mark)
    start_line, start_column = _position(error.context_mark)
    here = lines[line - 1] if 0 < line <= len(lines) else ""

    character = _CANNOT_START.search(problem)
    if character:
        return _cannot_start(here, column), line, column
    if "alias" in context or "anchor" in context:
        message = "'*' and '&' are YAML aliases, not used here; for 'everything' write: any"
        return message, start_line or line, start_column or column
    if "could not find expected ':'" in problem:
        return "this line is neither 'key: value' nor '- item'", start_line or line, start_column or column
    if "mapping values are not allowed" in problem:
        if not here[column:].strip(" }],"):
            return "a value can't end in ':' (IPv6 such as '::'); put it in quotes", line, column
        return "this text has ': ' in it and YAML read it as a key; put it in quotes", line, column
    if "block scalar" in context:
        message = (
            "'>' and '|' begin a block of text in YAML; put it in quotes (or write: more than, at least)"
        )
        return message, start_line or line, start_column or column
    if "quoted scalar" in context:
        return "this quote is never closed", start_line or line, start_column or column
    if "flow" in context:
        return _in_brackets(problem, (line, column), (start_line, start_column), lines)
    if "expected <block end>" in problem or "did not find expected" in problem or "block" in context:
        return "this line is indented differently from those it belongs with, or lacks its key", line, column
    if "\t" in here[: max(column, 1)]:
        return "a tab; YAML indents with spaces only", line, column
    return f"this is no YAML: {problem}", line, column


def locate(error: YAMLError, text: str) -> tuple[str, int]:
    """Message and line for an error that carries no mark: a character no text file should hold."""
    position = getattr(error, "position", None)
    character = getattr(error, "character", None)
    if isinstance(position, int):
        line = text.count("\n", 0, position) + 1
        code = f" (U+{character:04X})" if isinstance(character, int) else ""
        return f"a control character{code} stands in this line; remove it", line
    return f"this is no YAML: {error}", 0


def _position(mark: object) -> tuple[int, int]:
    if mark is None:
        return 0, 0
    return getattr(mark, "line", -1) + 1, getattr(mark, "column", -1) + 1


def _cannot_start(here: str, column: int) -> str:
    found = here[column - 1 : column]
    if found == "\t":
        return "a tab; YAML indents with spaces only"
    hint = " (or write: any)" if here[column - 1 :].startswith("%any") else ""
    if found == ">":
        hint = " (or write: more than, at least)"
    return f"a value can't begin with '{found}' in YAML; put it in quotes{hint}"


def _in_brackets(
    problem: str, at: tuple[int, int], start: tuple[int, int], lines: list[str]
) -> tuple[str, int, int]:
    """An error between [ and ] or { and }: mostly a comment that swallowed the end of a line."""
    line, column = at
    for number in range(max(start[0], 1), min(line, len(lines) + 1)):
        comment = _comment(lines[number - 1])
        if comment:
            message = "' #' begins a comment and swallowed the rest of this line; put the text in quotes"
            return message, number, comment
    if "but found '-'" in problem:
        return "inside { } and [ ] there is no '- '; write {name: {}} or [item, item]", line, column
    bracket = lines[start[0] - 1][start[1] - 1 : start[1]] if 0 < start[0] <= len(lines) else ""
    closing = {"{": "}", "[": "]"}.get(bracket)
    if closing is None:
        return f"this is no YAML: {problem}", line, column
    if line != start[0]:
        if line > len(lines) or line - start[0] > 1:
            return f"this '{bracket}' is never closed with '{closing}', or lacks a ','", start[0], start[1]
        return f"this '{bracket}' is not closed with '{closing}' in its line", start[0], start[1]
    return (
        f"a ',' or '{closing}' is missing before this",
        line,
        column,
    )


def _comment(line: str) -> int:
    """The column of the '#' that begins a comment after some text, or 0. Quotes are minded."""
    quote = ""
    for index, character in enumerate(line):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'" and line[index - 1 : index] in ("", " ", "[", "{", ","):
            quote = character
        elif character == "#" and line[:index].strip() and line[index - 1] == " ":
            return index + 1
    return 0
