"""Why did it go wrong? One answer for a tunnel, for traffic, a node or a packet, as far as the recording knows."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.expectations import is_up
from ipsecsim.experiment.run import Run
from ipsecsim.ike.events import Diagnosed
from ipsecsim.ipsec.events import PacketSealed
from ipsecsim.observe.invariants.leaks import check_leaks
from ipsecsim.observe.record import Record
from ipsecsim.study.chain import Link, chain, errors
from ipsecsim.study.cures import cure
from ipsecsim.study.strip import Strip, strip
from ipsecsim.study.trouble import BY_DESIGN, Evidence, Question, Trouble
from ipsecsim.study.words import TOLD_BY_IKE, WORDS, Words, of_drop


@dataclass(frozen=True, slots=True)
class Why:
    """An answer. `reason` is a diagnosis, an exposure or a drop reason, '' when nothing went wrong.

    `shows_as` is the drop reason or notify by which it is seen; `known_by` are the nodes whose own recording holds
    the evidence, or who has what was given away, `unknown_to` those concerned that see only what `blind` says.
    `setting` is 'path=value', which `--set` understands and which makes it well; '' where no single one does.
    `packet` is 0 where none is meant.
    `strip` is the order of operations at the node where it died, empty where no packet did.
    """

    reason: str
    subject: str
    sentence: str
    chain: tuple[Link, ...] = ()
    known_by: tuple[str, ...] = ()
    unknown_to: tuple[str, ...] = ()
    blind: str = ""
    clause: str = ""
    setting: str = ""
    look_at: str = ""
    node: str = ""
    shows_as: str = ""
    packet: int = 0
    detail: str = ""
    strip: Strip = field(default_factory=Strip)


def why(run: Run, about: str | int | None = None) -> Why:
    """The answer to 'tunnel net', 'ping alice bob', the name of traffic, 'node west' or a packet's number.

    None asks for the run's main trouble. Raises ConfigError for a question about what is not there.
    """
    return ask(Evidence(run), about)


def ask(evidence: Evidence, about: str | int | None = None) -> Why:
    """`why`, for who has many questions about one run. Raises ConfigError."""
    question = evidence.question(about)
    troubles = evidence.about(question)
    if not troubles:
        return Why(
            "", question.words, f"{evidence.state(question)}: nothing went wrong there{_unleaked(evidence)}"
        )
    return _answer(evidence, question, troubles[0])


def by_turn(run: Run) -> dict[int, Why]:
    """An answer for each turn in which a packet was dropped or something shows that is wrong as a whole.

    Of several in one turn a diagnosis goes before a mere drop.
    """
    evidence = Evidence(run)
    question = evidence.question(None)
    found: dict[int, Why] = {}
    for trouble in evidence.troubles:
        answer = _answer(evidence, question, trouble)
        for row in trouble.rows:
            found.setdefault(row.turn.number, answer)
    return found


def _answer(evidence: Evidence, question: Question, trouble: Trouble) -> Why:
    question = _narrowed(evidence, question, trouble)
    reason = trouble.reason
    row = _shown_row(evidence, question, trouble)
    order = strip(evidence, row)
    words = _words(trouble, order.say)
    node, other = trouble.node, _other(evidence, question, trouble)
    known = (trouble.by,) if trouble.by else tuple(dict.fromkeys(row.node for row in trouble.rows))
    packet = _packet(evidence, row)
    place = f"turn {row.turn.number}, {row.node}" + (f", packet {packet}" if packet else "")
    fill = {"node": node, "other": other}
    return Why(
        reason.name,
        question.words,
        f"{evidence.state(question)}: {_filled(words.sentence, fill)}",
        chain(evidence, trouble, question.traffic),
        known,
        tuple(name for name in _concerned(evidence, question, trouble) if name not in known),
        words.blind,
        reason.clause,
        cure(evidence, trouble),
        f"{place}: {_filled(words.field, fill)}",
        node,
        _shows_as(evidence, trouble),
        packet,
        trouble.sentence,
        order,
    )


def _unleaked(evidence: Evidence) -> str:
    """Where something was sealed, that nothing leaked is worth saying: people look for it on a gateway."""
    if not evidence.recorder.of(PacketSealed) or any(
        check_leaks(evidence.recorder, evidence.world.simulator)
    ):
        return ""
    return ", and nothing leaked: outside, links carried what was sealed in no other form"


def _packet(evidence: Evidence, row: Record) -> int:
    """The packet that a row ended or is about, else the one with which its turn began; 0 for none."""
    ended = evidence.lives.ended_by.get(row.sequence)
    if ended is not None:
        return ended.number
    came = evidence.lives.in_turn(row.turn.number).came
    return evidence.lives.about[row.sequence] or (0 if came is None else came.packet)


def _words(trouble: Trouble, said: str) -> Words:
    if isinstance(trouble.reason, DropReason):
        return of_drop(trouble.reason, said)
    is_told = isinstance(trouble.rows[0].event, Diagnosed) and isinstance(trouble.reason, Diagnosis)
    return TOLD_BY_IKE[trouble.reason] if is_told and trouble.reason in TOLD_BY_IKE else WORDS[trouble.reason]


def _filled(text: str, names: Mapping[str, str]) -> str:
    """A sentence with the names of nodes; what a packet says is no template."""
    for key, name in names.items():
        text = text.replace(f"{{{key}}}", name)
    return text


def _narrowed(evidence: Evidence, question: Question, trouble: Trouble) -> Question:
    """Of a run the tunnel is meant that is down, else traffic that was lost, else the node."""
    if question.tunnel or question.traffic or question.node or question.packet:
        return question
    tunnel = evidence.tunnel_of(trouble)
    if tunnel and not is_up(evidence.world, tunnel):
        return evidence.question(f"tunnel {tunnel}")
    hurt = evidence.hurt() & evidence.behind(trouble.rows)
    names = [name for name in evidence.world.traffic if name in hurt]
    if names:
        return evidence.of_traffic(names[0])
    return evidence.question(f"tunnel {tunnel}" if tunnel else f"node {trouble.node}")


def _shown_row(evidence: Evidence, question: Question, trouble: Trouble) -> Record:
    """The first row about what was asked; in it a packet died, if one did."""
    behind = evidence.lives.behind
    meant = [row for row in trouble.rows if behind[row.sequence] & question.traffic] or trouble.rows
    return next((row for row in meant if isinstance(row.event, PacketDropped)), meant[0])


def _ends(evidence: Evidence, question: Question, trouble: Trouble) -> list[str]:
    """The two ends of the tunnel that it is about."""
    tunnel = question.tunnel or evidence.tunnel_of(trouble)
    return [end.node for end in evidence.world.topology.tunnels[tunnel].ends] if tunnel else []


def _other(evidence: Evidence, question: Question, trouble: Trouble) -> str:
    others = [name for name in _ends(evidence, question, trouble) if name != trouble.node]
    return others[0] if others else "its peer"


def _concerned(evidence: Evidence, question: Question, trouble: Trouble) -> list[str]:
    """The ends of the tunnel, or where there is none those of the traffic."""
    names = question.traffic or evidence.behind(trouble.rows)
    traffic = [node for name in names for node in evidence.world.traffic[name][1:]]
    found = _ends(evidence, question, trouble) or sorted(traffic)
    return [name for name in dict.fromkeys(found) if name in evidence.world.topology.nodes]


def _shows_as(evidence: Evidence, trouble: Trouble) -> str:
    """The drop reason in its rows, the notify in its turn, or a drop of the same traffic; '' for nothing."""
    for row in trouble.rows:
        if isinstance(row.event, PacketDropped):
            return row.event.reason.name
    for row in trouble.rows:
        for each in evidence.recorder.turn(row.turn.number):
            told = errors(each.event)
            if told:
                return told[0]
    expected = trouble.reason.shows_as if isinstance(trouble.reason, Diagnosis) else ()
    behind = evidence.behind(trouble.rows)
    drops = [
        event.reason
        for row, event in evidence.recorder.of(PacketDropped)
        if event.reason not in BY_DESIGN and evidence.lives.behind[row.sequence] & behind
    ]
    usual = [reason for reason in drops if reason.name in expected]
    return next((reason.name for reason in [*usual, *drops]), "")
