"""The verbs of a script. Each is one row, beside the code that reads it and the code that performs it."""

from ipsecsim.scenario.model_script import ScriptAction
from ipsecsim.scenario.verbs.adversary import ADVERSARY_VERBS
from ipsecsim.scenario.verbs.changes import CHANGE_VERBS
from ipsecsim.scenario.verbs.life import LIFE_VERBS
from ipsecsim.scenario.verbs.traffic import TRAFFIC_VERBS
from ipsecsim.scenario.verbs.tunnels import TUNNEL_VERBS
from ipsecsim.scenario.verbs.verb import Performer, Verb

SCRIPT_VERBS: dict[str, Verb] = {
    **TRAFFIC_VERBS,
    **TUNNEL_VERBS,
    **LIFE_VERBS,
    **CHANGE_VERBS,
    **ADVERSARY_VERBS,
}
"""Every verb of the language. Which of them do not run yet stands in `not_yet`."""

PERFORMERS: dict[type[ScriptAction], Performer] = {
    verb.action: verb.perform
    for verb in SCRIPT_VERBS.values()
    if verb.action is not None and verb.perform is not None
}
"""Who plans the turns of an action."""
