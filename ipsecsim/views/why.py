"""What went wrong in a run, as far as it is known: a line for each finding."""

from ipsecsim.experiment.run import Run
from ipsecsim.observe.telling import count
from ipsecsim.observe.why import Finding, findings


def why(run: Run) -> str:
    """Each finding with its clause, and the turn in which it shows first."""
    found = findings(run.recorder, run.world.simulator)
    if not found:
        return "Why: nothing that has a name went wrong"
    return "\n".join(["Why: what went wrong, and where it shows", *map(_line, found)])


def _line(finding: Finding) -> str:
    diagnosis = finding.diagnosis
    clause = f"   [{diagnosis.clause}]" if diagnosis.clause else ""
    turns = list(dict.fromkeys(row.turn.number for row in finding.rows))
    more = f" and {count(len(turns) - 1, 'turn')} more" if turns[1:] else ""
    return f"  {diagnosis.name}   {finding.sentence}{clause}   turn {turns[0]}{more}"
