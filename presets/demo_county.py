"""The demo county as data: its accounts, agreements and tickets (the workbooks are in presets/demo)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from presets.roles import Role

FOLDER = Path(__file__).parent / "demo"
ORGANIZATIONS = FOLDER / "示范县组织机构.xlsx"
DUTY_LISTS = FOLDER / "城关镇履职事项三张清单.xlsx"
CATALOGUE = FOLDER / "市级事项清单_18类1568项.xlsx"

COUNTY = "640199"
TOWNSHIP = "640199100"
COMMUNITY = "640199100201"

#: account → (name, organisation's code, role): one for every role of domain section 7.
ACCOUNTS: dict[str, tuple[str, str, Role]] = {
    "admin": ("管理员", COUNTY, Role.SYSTEM_ADMINISTRATOR),
    "office": ("派单员", "640199-CSB", Role.DISPATCHER),
    "returns": ("退单审核员", "640199-CSB", Role.RETURN_REVIEWER),
    "party": ("组织部", COUNTY, Role.ORGANIZATION_DEPARTMENT),
    "duty": ("清单管理员", COUNTY, Role.DUTY_LIST_OFFICER),
    "township": ("城关镇审核员", TOWNSHIP, Role.TOWNSHIP_REVIEWER),
    "community": ("东关社区吹哨员", COMMUNITY, Role.COMMUNITY_STAFF),
    "handler": ("住建局接哨员", "640199-D05", Role.DEPARTMENT_HANDLER),
    "handler2": ("执法局接哨员", "640199-D18", Role.DEPARTMENT_HANDLER),
    "unit": ("一中联络员", "640199-U01", Role.UNIT_LIAISON),
    "inspector": ("督查员", COUNTY, Role.INSPECTOR),
    "leader": ("分管领导", COUNTY, Role.LEADER),
    "auditor": ("审计员", COUNTY, Role.AUDITOR),
}


@dataclass(frozen=True)
class DemoAgreement:
    """An agreement; dates are days from today, ``steps`` the workflow steps taken on it."""

    number: str
    community: str
    unit: str
    kind: str
    start: int
    end: int
    objectives: str
    steps: tuple[str, ...] = ()


AGREEMENTS = (
    DemoAgreement("示党共建〔2026〕1号", COMMUNITY, "640199-U01", "co_building", -200, 165, "开放校园场地，开展青少年暑期托管，共建书香社区。", ("bring_into_force",)),
    DemoAgreement("示党共建〔2026〕2号", COMMUNITY, "640199-U02", "paired_assistance", -320, 45, "每月一次义诊，为独居老人建立健康档案。", ("bring_into_force",)),
    DemoAgreement("示党共建〔2026〕3号", "640199100202", "640199-U04", "joint_committee", -30, 335, "物业与社区联合值守，共管小区环境。", ("bring_into_force",)),
    DemoAgreement("示党共建〔2026〕4号", "640199100203", "640199-U03", "co_building", 5, 370, "金融知识进社区，防范电信诈骗。"),
)  # fmt: skip


TicketStep = tuple[str, str, dict[str, Any]]


@dataclass(frozen=True)
class DemoTicket:
    """A ticket; ``hours`` is how long ago it was raised, ``steps`` what happened, an hour apart."""

    title: str
    detail: str
    address: str
    hours: int
    theme: str = "livelihood"
    channel: str = "patrol"
    whistle_class: str = "ordinary"
    item: str | None = None
    emergency: bool = False
    #: (action, account, data); organisations in data are codes, grades one value for all
    steps: tuple[TicketStep, ...] = field(default=())


_RAISE: TicketStep = ("raise", "community", {})
#: The township's two steps of the review route: 审核把关, 审批上报.
_APPROVED: tuple[TicketStep, ...] = (
    ("approve", "township", {"note": "情况属实。"}),
    ("approve", "township", {"note": "同意上报，请吹哨办派单。"}),
)
_TO_HOUSING = ("dispatch", "office", {"lead": "640199-D05", "assisting": ["640199-D18"]})
_TO_CITY = ("dispatch", "office", {"lead": "640199-D18"})

TICKETS = (
    DemoTicket("东关路 6 盏路灯不亮", "东关路与学府街路口往东 6 盏路灯连续三晚不亮，夜间行人摔倒过一次。", "东关路与学府街路口", 2),
    DemoTicket("人民巷下水井盖破损", "井盖裂成两半，已放置警示锥桶。", "人民巷 12 号门前", 5, theme="safety", item="市政道路与井盖维修隐患（问题）排查整治", steps=(_RAISE,)),
    DemoTicket("农贸市场门口占道经营", "早市摊位占满非机动车道，劝导后反复。", "东关农贸市场北门", 20, channel="resident", steps=(_RAISE, *_APPROVED)),
    DemoTicket("阳光家园 3 号楼外墙脱落", "外墙保温层脱落，砸中楼下车棚，已拉警戒线。", "阳光家园 3 号楼", 3, theme="safety", whistle_class="urgent", emergency=True, steps=(("raise", "community", {"lead": "640199-D05"}),)),
    DemoTicket("老城区雨水管网堵塞", "雨后积水 20 厘米，商户进水，已用沙袋围挡。", "解放街 40 号一带", 30, theme="environment", steps=(_RAISE, *_APPROVED, _TO_HOUSING, ("accept", "handler", {}), ("assist_accept", "handler2", {}))),
    DemoTicket("小区违规搭建彩钢房", "一楼住户在公共绿地搭建彩钢房，邻里多次投诉。", "东苑小区 5 号楼", 52, steps=(_RAISE, *_APPROVED, _TO_CITY, ("accept", "handler2", {}), ("arrive", "handler2", {"note": "已到现场测量取证。"}))),
    DemoTicket("公厕停水三天", "东门公厕停水，异味大，居民意见集中。", "东门公厕", 60, theme="environment", channel="hotline", steps=(_RAISE, *_APPROVED, _TO_HOUSING, ("request_return", "handler", {"note": "公厕由综合执法局环卫所管理，申请退单。"}))),
    DemoTicket("校门口道路坑洼", "一中门口路面坑洼，早晚接送拥堵。", "一中南门", 96, channel="visit", item="市政道路与井盖维修隐患（问题）排查整治", steps=(_RAISE, *_APPROVED, _TO_HOUSING, ("accept", "handler", {}), ("arrive", "handler", {}), ("report_result", "handler", {"result": "已修补路面 40 平方米，增设减速带两处。"}))),
    DemoTicket("楼道堆放杂物占用消防通道", "2 单元楼道长期堆放纸箱，存在火灾隐患。", "阳光家园 2 号楼", 150, theme="safety", steps=(_RAISE, *_APPROVED, _TO_CITY, ("accept", "handler2", {}), ("arrive", "handler2", {}), ("report_result", "handler2", {"result": "联合社区清运杂物 3 车，住户签订承诺书。"}), ("rate", "community", {"grades": "very_satisfied"}), ("close", "office", {"note": "现场复核，予以销号。"}))),
    DemoTicket("广场舞噪声扰民", "文化广场晚间音响过大，居民协商未果。", "文化广场", 75, theme="care", channel="resident", steps=(_RAISE, ("decline_review", "township", {"note": "属共事，由网格党支部协商解决。"}))),
)  # fmt: skip
