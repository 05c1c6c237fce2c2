"""What this side still has to ask of the peer, one request at a time, and what it asks again later."""

from collections import deque
from collections.abc import Callable, Iterator

from ipsecsim.base.instant import Instant
from ipsecsim.ike.v2.duties.tasks import CreateChild, RekeyIke, Task


class Agenda:
    """The task of the outstanding request, those that wait for it, and those that were put off."""

    def __init__(self) -> None:
        self.current: Task | None = None
        self._waiting: deque[Task] = deque()
        self._postponed: list[tuple[Instant, Task]] = []

    def __iter__(self) -> Iterator[Task]:
        """Every task that is not done."""
        if self.current is not None:
            yield self.current
        yield from self._waiting
        yield from (task for _, task in self._postponed)

    def add(self, task: Task, *, first: bool = False) -> None:
        """Put a task behind all others, or before them."""
        if first:
            self._waiting.appendleft(task)
        else:
            self._waiting.append(task)

    def begin(self, is_moot: Callable[[Task], bool]) -> Task | None:
        """The next task that still has a point becomes the current one; None when there is none."""
        while self._waiting:
            task = self._waiting.popleft()
            if not is_moot(task):
                self.current = task
                return task
        return None

    def close(self) -> Task | None:
        """The current task has its answer."""
        task, self.current = self.current, None
        return task

    def postpone(self, task: Task, until: Instant) -> None:
        """Put a task off."""
        self._postponed.append((until, task))

    @property
    def waiting(self) -> Iterator[Task]:
        """The tasks that wait for the current one."""
        return iter(self._waiting)

    @property
    def next_due(self) -> Instant | None:
        """When the first of the postponed tasks comes up again."""
        return min((at for at, _ in self._postponed), default=None)

    def resume(self, now: Instant) -> None:
        """Let the postponed tasks wait with the others once their time has come."""
        self._waiting += (task for at, task in self._postponed if at <= now)
        self._postponed = [each for each in self._postponed if each[0] > now]

    def clear(self) -> None:
        """Forget all but the current task."""
        self._waiting.clear()
        self._postponed.clear()

    def hand_over(self, heir: "Agenda") -> None:
        """What is about children goes to the IKE SA that they go to."""
        heir._waiting += (task for task in self._waiting if not isinstance(task, RekeyIke))
        heir._postponed += (each for each in self._postponed if not isinstance(each[1], RekeyIke))
        self.clear()

    @property
    def children(self) -> list[CreateChild]:
        """The tasks that are about a new Child SA."""
        return [task for task in self if isinstance(task, CreateChild)]
