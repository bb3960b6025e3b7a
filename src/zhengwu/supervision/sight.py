"""What of supervision an actor sees and may do (监察的权限): the one filter of every fetch.

A supervisor sees their region, a centre manager their hall, a head their agency; whoever answers for
an agency sees what bears their own name or the post they hold. What is served to supervisors alone
is there for nobody else.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from zhengwu.accounts import queries as accounts
from zhengwu.accounts import roles
from zhengwu.accounts.queries import Actor, Reach
from zhengwu.domain.rulebook import SUPERVISOR

SEE, ANSWER, APPEAL, ACT = (
    "supervise.see", "supervise.answer", "supervise.appeal", "supervise.act",
)  # fmt: skip
# A record or an order belongs to a hall by the findings of its case.
_IN_HALL = (
    'EXISTS (SELECT 1 FROM supervision_finding h WHERE h."case" = {t}."case"'  # noqa: S608 - constants
    f" AND h.hall = ANY(%(halls)s::text[]) AND h.served <> {SUPERVISOR})"
)


def served_to(alias: str, sees: Reach, acts: Reach) -> tuple[str, dict[str, Any]]:
    """Leaves out the findings that are served to supervisors alone, but those of the agencies that
    one supervises: SQL with its parameters. sees: as far as one reads; acts: as far as one supervises.
    """
    if sees.everything or acts.everything or (not sees.halls and sees.agencies <= acts.agencies):
        return "true", {}
    others = f"{alias}.served <> {SUPERVISOR}"
    if not acts.agencies:
        return others, {}
    return (
        f"({others} OR {alias}.agency = ANY(%(supervised_seen)s::text[]))",
        {"supervised_seen": sorted(acts.agencies)},
    )


@dataclass(frozen=True, slots=True)
class Sight:
    """An actor with how far each act of supervision reaches; asked once for a page or a verb."""

    actor: Actor
    sees: Reach
    answers: Reach
    appeals: Reach
    acts: Reach
    posts: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, actor: Actor) -> Sight:
        sees, answers, appeals, acts = (
            accounts.reach(actor, act) if actor.may(act) else accounts.NOWHERE
            for act in (SEE, ANSWER, APPEAL, ACT)
        )
        return cls(actor, sees, answers, appeals, acts, frozenset(p.code for p in actor.posts))

    # --- the filter, as SQL with its parameters --------------------------------------------------

    def findings(self) -> tuple[str, dict[str, Any]]:
        """Of findings, alias `f`."""
        one = len(self.sees.halls) == 1
        hall = "f.hall = %(hall_seen)s" if one else "f.hall = ANY(%(halls)s::text[])"
        condition, parameters = self._within("f", hall)
        if self.sees.everything or condition == "false":
            return condition, parameters
        # Who answers for an agency sees what bears their name there, beyond what they may read.
        sees = replace(self.sees, agencies=self.sees.agencies | self.answers.agencies)
        told, more = served_to("f", sees, self.acts)
        if told != "true":
            condition = f"({condition} AND {told})"
        return condition, parameters | more

    def orders(self) -> tuple[str, dict[str, Any]]:
        """Of orders, alias `o`."""
        return self._within("o", _IN_HALL.format(t="o"))

    def accounts(self) -> tuple[str, dict[str, Any]]:
        """Of accountability, alias `a`: of one's own only what bears one's name."""
        return self._within("a", _IN_HALL.format(t="a"), posts=False)

    def checks(self) -> tuple[str, dict[str, Any]]:
        """Of spot checks, alias `k`: supervisors only."""
        if self.acts.everything:
            return "true", {}
        regions = self.regions()
        return ("k.region = ANY(%(regions)s::text[])" if regions else "false"), {"regions": regions}

    def own(self, alias: str, *, posts: bool = True) -> tuple[str, dict[str, Any]]:
        """What bears the actor's name or one of their posts, in the agencies they answer for."""
        mine = f"{alias}.person = %(me)s"
        if posts and self.posts:
            mine = f"({mine} OR {alias}.post = ANY(%(posts)s::text[]))"
        return (
            f"({alias}.agency = ANY(%(answers)s::text[]) AND {mine})",
            {
                "answers": sorted(self.answers.agencies), "me": self.actor.code,
                "posts": sorted(self.posts),
            },
        )  # fmt: skip

    def _within(self, alias: str, hall: str, *, posts: bool = True) -> tuple[str, dict[str, Any]]:
        if self.sees.everything:
            return "true", {}
        held: list[str] = []
        parameters: dict[str, Any] = {}
        # One agency as itself: an index that begins with it keeps what stands behind in order.
        if len(self.sees.agencies) == 1:
            held.append(f"{alias}.agency = %(agency_seen)s")
            parameters["agency_seen"] = next(iter(self.sees.agencies))
        elif self.sees.agencies:
            held.append(f"{alias}.agency = ANY(%(agencies_seen)s::text[])")
            parameters["agencies_seen"] = sorted(self.sees.agencies)
        if self.sees.halls:
            held.append(hall)
            parameters["halls"] = sorted(self.sees.halls)
            parameters["hall_seen"] = parameters["halls"][0]
        if self.answers.agencies - self.sees.agencies:
            condition, more = self.own(alias, posts=posts)
            held.append(condition)
            parameters |= more
        return (f"({' OR '.join(held)})" if held else "false"), parameters

    # --- what may be done ------------------------------------------------------------------------

    def acts_on(self, agency: str) -> bool:
        """Whether the actor supervises this agency."""
        return self.acts.everything or agency in self.acts.agencies

    def heads(self, agency: str) -> bool:
        """Whether the actor is the head of this agency."""
        return self.appeals.everything or agency in self.appeals.agencies

    def answers_for(self, agency: str, person: str | None, post: str | None) -> bool:
        """Whether it is the actor's to sign and answer."""
        if agency not in self.answers.agencies:
            return False
        return self.heads(agency) or person == self.actor.code or post in self.posts

    def reads(self, agency: str, person: str | None, post: str | None) -> bool:
        """Whether the actor reads what people wrote: those concerned and those who decide."""
        return self.acts_on(agency) or self.heads(agency) or self.answers_for(agency, person, post)

    def regions(self) -> list[str]:
        """The regions that the actor supervises, as their role says."""
        return sorted(
            code for role, code in self.actor.holdings if roles.EVERY[role].get(ACT) == "region"
        )
