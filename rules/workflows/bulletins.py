"""The way of a bulletin (通报): written in the background, read by the office, issued and then kept."""

from __future__ import annotations

from models.bulletin import Bulletin, BulletinStatus
from presets.roles import Role
from rules.notices import tell_county
from rules.workflow import Context, Step, Workflow, register
from rules.workflows.following import OFFICE, relations

S = BulletinStatus
#: Who is told of an issued one: those whose work it speaks of, and those who follow it.
READERS = (
    Role.TOWNSHIP_REVIEWER,
    Role.DEPARTMENT_HANDLER,
    Role.INSPECTOR,
    Role.LEADER,
)


def _write(context: Context) -> None:
    """Keep what the worker wrote."""
    bulletin = context.record
    bulletin.docx_hash, bulletin.xlsx_hash = context.data["docx"], context.data["xlsx"]
    bulletin.problem = None
    context.log |= {"docx": bulletin.docx_hash, "xlsx": bulletin.xlsx_hash}


def _fail(context: Context) -> None:
    context.record.problem = context.data["problem"][:300]


def _again(context: Context) -> None:
    context.record.problem = None


def _issue(context: Context) -> None:
    """From now on everybody below reads it, and nobody changes it."""
    bulletin = context.record
    bulletin.issued_to_id = bulletin.organization_id
    bulletin.issued_at, bulletin.issued_by = context.now, context.actor.name[:100]
    context.log |= {"docx": bulletin.docx_hash, "xlsx": bulletin.xlsx_hash}


def _tell(context: Context) -> None:
    bulletin = context.record
    tell_county(
        context.session,
        bulletin.organization_id,
        f"已印发：{bulletin.title}",
        bulletin,
        "issued",
        roles=READERS,
    )


BULLETINS = register(
    Workflow(
        model=Bulletin,
        initial=S.WAITING,
        relations=relations,
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
