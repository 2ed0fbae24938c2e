"""The way of a bulletin (通报): written in the background, read by the office, issued and then kept."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import Integer, Select, and_, bindparam, or_, select

from models.bulletin import Bulletin, BulletinStatus
from models.organization import REALMS, Organization
from presets.roles import Role
from rules.notices import Places, bodies_of, tell_people
from rules.policy import Action, Scope, scopes
from rules.workflow import Context, Step, Workflow, register
from rules.workflows.following import OFFICE, relations

S = BulletinStatus
#: Who is told of an issued one: those whose work it speaks of, and those who follow it.
READERS = (
    Role.DISPATCHER,
    Role.TOWNSHIP_REVIEWER,
    Role.DEPARTMENT_HANDLER,
    Role.INSPECTOR,
    Role.LEADER,
)

#: What a step's event tells of, so that the audit has no further line.
TOLD = frozenset(
    {"status", "docx_hash", "xlsx_hash", "problem", "issued_to_id", "issued_at", "issued_by"}
)


def _write(context: Context) -> None:
    """Keep what the worker wrote."""
    bulletin = context.record
    bulletin.docx_hash, bulletin.xlsx_hash = context.data["docx"], context.data["xlsx"]
    bulletin.problem = None
    context.log |= {"docx": bulletin.docx_hash, "xlsx": bulletin.xlsx_hash}


def _fail(context: Context) -> None:
    context.record.problem = context.data["problem"][:300]
    context.log |= {"problem": context.record.problem}


def _again(context: Context) -> None:
    context.record.problem = None


def _issue(context: Context) -> None:
    """From now on everybody below reads it, and nobody changes it."""
    bulletin = context.record
    bulletin.issued_to_id = bulletin.organization_id
    bulletin.issued_at, bulletin.issued_by = context.now, context.actor.name[:100]
    context.log |= {"docx": bulletin.docx_hash, "xlsx": bulletin.xlsx_hash}


def _tell(context: Context) -> None:
    """Tell the place's own bodies; of a city's, its counties too as far as their roles read it."""
    bulletin = context.record
    below = tuple(
        each for each in READERS if Scope.LINE in scopes(frozenset({each}), "bulletin", Action.READ)
    )
    realm = bulletin.organization_id
    tell_people(
        context.session,
        [(Places(_own(), {"own": realm}), READERS), (bodies_of(realm), below)],
        f"已签发：{bulletin.title}",
        bulletin,
        "issued",
    )


@lru_cache(maxsize=1)
def _own() -> Select[int]:
    """Return the statement that gives a place and its own bodies, without the realms below it."""
    own = bindparam("own", type_=Integer)
    return select(Organization.id).where(
        or_(
            Organization.id == own,
            and_(Organization.parent_id == own, Organization.kind.not_in(REALMS)),
        )
    )


BULLETINS = register(
    Workflow(
        model=Bulletin,
        initial=S.WAITING,
        relations=relations,
        told=TOLD,
        steps=(
            Step(
                "issue", "签发", (S.READY,), S.ISSUED, OFFICE, tone="success",
                help="签发后下级单位都能看到，内容不再改动；有错时另发一期更正。",
                effect=_issue, then=_tell,
            ),
            Step(
                "rewrite", "重新生成", (S.READY, S.FAILED), S.WAITING, OFFICE, tone="default",
                help="按现在的数据重新生成文件，原来的文件不再保留在这一期里。", effect=_again,
            ),
            Step("begin", "开始生成", (S.WAITING, S.WRITING), S.WRITING, ()),
            Step("finish", "生成完成", (S.WRITING,), S.READY, (), effect=_write),
            Step("fail", "没有生成", (S.WAITING, S.WRITING), S.FAILED, (), effect=_fail),
        ),
    )
)  # fmt: skip
