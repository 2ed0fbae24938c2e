"""The demo county's address books, as data: places that two communities know by name (degrees WGS 84)."""

from __future__ import annotations

from presets.demo_county import COMMUNITY

#: (community's code, name, latitude, longitude, note); a place that nobody has measured has no degrees.
ADDRESSES: tuple[tuple[str, str, float | None, float | None, str | None], ...] = (
    (COMMUNITY, "幸福里小区 3 号楼", 38.487194, 106.230909, "东门进，左手第一栋"),
    (COMMUNITY, "幸福里小区东门", 38.487402, 106.231377, None),
    (COMMUNITY, "阳光家园 1 号楼", 38.485611, 106.228415, None),
    (COMMUNITY, "东关农贸市场", 38.484902, 106.226873, "早市 6:00–9:00"),
    (COMMUNITY, "人民巷口", 38.486320, 106.225118, None),
    (COMMUNITY, "东关社区党群服务中心", 38.485973, 106.229344, None),
    (COMMUNITY, "城关一小门口", 38.488215, 106.227590, "上下学时段拥堵"),
    (COMMUNITY, "东环路与文昌街路口", 38.489037, 106.233126, None),
    (COMMUNITY, "老水泥厂家属院", None, None, "位置待核"),
    ("640199100202", "锦绣花园北门", 38.479316, 106.219802, None),
    ("640199100202", "西关公交站", 38.480055, 106.217434, None),
)
