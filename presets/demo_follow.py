"""What lies behind the demo county: half a year of whistles about the same matters, and what came of them."""

from __future__ import annotations

from dataclasses import dataclass

from presets.demo_county import COMMUNITY, TOWNSHIP

#: The same seed gives the same half year, up to today.
SEED = 20260301
DAYS = 180
COMMUNITIES = {
    COMMUNITY: "东关",
    "640199100202": "银横",
    "640199100203": "宝湖",
}
HOUSING, CITY, POLICE, MARKET = "640199-D05", "640199-D18", "640199-D09", "640199-D10"
_LISTED = "隐患（问题）排查整治"


@dataclass(frozen=True)
class DemoMatter:
    """A matter of a duty list that comes up again and again.

    ``times`` is how often in the half year, ``late`` which of these (counted from the newest) the
    department accepted too late, ``poor`` which were not good enough at first. ``ago`` are the days
    between which it came up.
    """

    item: str
    title: str
    detail: str
    theme: str
    lead: str
    result: str
    times: int
    ago: tuple[int, int] = (9, DAYS)
    late: tuple[int, ...] = ()
    poor: tuple[int, ...] = ()


MATTERS = (
    DemoMatter(
        f"路灯安装与维修{_LISTED}", "{place}路灯不亮", "{place}一带路灯成片不亮，夜间出行不便。",
        "livelihood", HOUSING, "更换灯具和老化线路，当晚恢复照明。", 11, (9, 85), (1, 4), (6,),
    ),
    DemoMatter(
        f"市政道路与井盖维修{_LISTED}", "{place}井盖松动", "{place}井盖松动下沉，车辆经过有响声。",
        "safety", HOUSING, "更换井圈井盖，周边路面找平。", 8, (12, DAYS), (2,),
    ),
    DemoMatter(
        f"占道经营治理{_LISTED}", "{place}占道经营", "{place}流动摊贩占道，早晚高峰通行困难。",
        "environment", CITY, "劝离摊贩，划定疏导点，安排定时巡查。", 10, (9, 80), (0, 3), (5,),
    ),
    DemoMatter(
        f"犬只管理{_LISTED}", "{place}流浪犬伤人隐患", "{place}有流浪犬出没，老人小孩害怕。",
        "safety", POLICE, "捕捉收容 2 只，走访养犬户登记办证。", 6, (20, DAYS), (1,),
    ),
    DemoMatter(
        f"餐饮油烟治理{_LISTED}", "{place}餐馆油烟扰民", "{place}餐馆油烟直排，楼上住户不敢开窗。",
        "environment", MARKET, "责令加装净化设备，复测达标。", 5, (15, DAYS),
    ),
)  # fmt: skip
PLACES = (
    "东门",
    "农贸市场北侧",
    "学府街口",
    "幸福里小区",
    "文化广场",
    "西巷",
    "老供销社门前",
    "三号院",
)

#: Nobody has answered it, long past its deadline: what the office supervises.
OVERDUE = DemoMatter(
    f"占道经营治理{_LISTED}", "夜市摊位占用消防通道", "夜市收摊后棚架不撤，消防车进不去，已两次协调。",
    "safety", CITY, "", 1, (16, 16),
)  # fmt: skip
ORDER = {"head": "县综合执法局分管副局长", "note": "夜市每晚营业，限期撤除占道棚架。"}
PROBLEM = {
    "title": "城关镇路灯反复不亮",
    "cause": "线路敷设超过二十年，多处接头进水；坏一盏修一盏，没有整段更换。",
    "plan": "分两段整体更换东关路、学府街老化线路和控制箱，每周夜巡一次。",
}
MEETING = {
    "title": "城关镇路灯、占道经营问题调度会",
    "place": "县吹哨办会议室",
    "chair": "分管副县长",
    "attendees": "县住房和城乡建设局\n县综合执法局\n城关镇\n东关、银横、宝湖社区",
}
#: Point of the agenda → what was said; the first is about the problem, the second about what is overdue.
POINTS = (
    ("路灯反复不亮怎么根治", "住建局说明线路情况，建议整段更换。"),
    ("夜市占用消防通道", "执法局和消防救援大队联合整治。"),
)
#: (what was decided, owner, days from the meeting until it is due, what its owner has reported)
DECISIONS = (
    ("完成东关路老化线路更换", HOUSING, 45, ""),
    ("夜市棚架一律撤出消防通道，划线管理", CITY, 12, "已划线 120 米，棚架撤出，每晚 22 时巡查。"),
    ("组织沿街商户签订门前三包承诺书", TOWNSHIP, 30, ""),
)
APPEAL = "当日已到场处置，群众评价时摊贩次日返回，属新发生的问题，请予复核。"
REMARKS = (
    "各承办单位收到哨单当日签收；路灯、占道经营问题反复较多，住建局、综合执法局要从根子上治理，"
    "不能坏一盏修一盏、赶一次管一天。"
)
