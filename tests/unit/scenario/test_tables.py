"""Laws over the schema's tables: a row added is a row checked."""

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import Place
from ipsecsim.crypto.catalogue import WORDS
from ipsecsim.scenario import SCRIPT_VERBS, not_yet, schema
from ipsecsim.scenario.kinds import ListOf, MapOf, OneOrMany, Scalar, Short, Table
from ipsecsim.scenario.problems import Problems
from ipsecsim.scenario.swanctl.words import DOCUMENTED, VENDOR
from ipsecsim.scenario.tree import plain


def tables() -> dict[str, list[Table]]:
    found: dict[str, list[Table]] = {}
    todo: list[object] = [schema.TOP]
    while todo:
        match todo.pop():
            case Table() as table:
                if not any(known is table for known in found.get(table.name, [])):
                    found.setdefault(table.name, []).append(table)
                    todo += [each.kind for each in (*table.fields.values(), *table.families.values())]
            case MapOf(kind=kind) | ListOf(kind=kind) | OneOrMany(kind=kind):
                todo.append(kind)
            case Short(table=table, short=short):
                todo += [table, short]
    return found


def test_every_row_of_not_yet_names_a_field():
    known = {
        f"{name}.{key}"
        for name, members in tables().items()
        for table in members
        for key in (*table.fields, *table.families)
    }
    assert set(not_yet.NOT_YET) <= known


def test_every_default_can_be_read_and_runs():
    for name, members in tables().items():
        for table in members:
            for key, field in table.fields.items():
                if field.default is None:
                    continue
                problems = Problems()
                field.kind.check(plain(field.default, Place("default")), f"{name}.{key}", problems)
                assert not problems.errors, f"{name}.{key}"
                assert isinstance(field.kind, Scalar) or not problems.later


def test_every_field_says_what_it_means():
    for members in tables().values():
        for table in members:
            assert all(field.doc for field in (*table.fields.values(), *table.families.values()))


def test_later_lists_name_things_of_the_language():
    assert set(SCRIPT_VERBS) >= not_yet.VERBS_LATER
    assert not not_yet.DROPS_LATER & set(DropReason.__members__)


def test_vendor_words_lead_to_words_of_ours():
    assert set(VENDOR.values()) <= set(WORDS) | DOCUMENTED
    assert not set(VENDOR) & (set(WORDS) | DOCUMENTED)
