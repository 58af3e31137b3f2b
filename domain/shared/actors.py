"""Who did it, and what that entitles them to."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal

from domain.shared.rejections import NotEntitled

Role = Literal["rep", "service", "payroll", "admin"]


@dataclass(frozen=True, slots=True)
class Actor:
    """`rep-7` is the rep of that id; `service:NAME`, `payroll:NAME` and `admin:NAME` are the others."""

    name: str
    role: Role

    @classmethod
    def of(cls, name: str) -> "Actor":
        match name.split(":", 1):
            case [("service" | "payroll" | "admin") as role, named] if named:
                return cls(name, role)
            case _:
                return cls(name, "rep")

    @property
    def rep(self) -> str | None:
        return self.name if self.role == "rep" else None

    def refuse(self, action: str, reason: str) -> NotEntitled:
        return NotEntitled(actor=self.name, action=action, reason=reason)

    def must_not_be_payroll(self, action: str) -> None:
        """Raises NotEntitled for payroll, which has no part in selling."""
        if self.role == "payroll":
            raise self.refuse(action, "payroll only closes periods and answers disputes")

    def must_be_admin(self, action: str) -> None:
        """Raises NotEntitled for anybody else."""
        if self.role != "admin":
            raise self.refuse(action, "only an admin may")

    def must_not_be_rep(self, action: str) -> None:
        """Raises NotEntitled for a rep, who would be paid by what they record."""
        if self.role == "rep":
            raise self.refuse(action, "only a service, payroll or an admin may, as reps are paid by it")

    def must_work_for(self, owner: str | None, *, beside: AbstractSet[str], action: str) -> None:
        """Only the owner, those `beside` them (heads above, reps on the split), a service or an admin may.

        Raises NotEntitled, naming the owner.
        """
        if self.role in ("service", "admin"):
            return
        if self.role == "rep" and (self.name == owner or self.name in beside):
            return
        whose = f"it is {owner}'s" if owner else "nobody owns the lead now: claim it first (lead.claim)"
        raise self.refuse(action, whose)
