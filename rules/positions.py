"""Where something lies: a pair of degrees (WGS 84), both or none."""

from __future__ import annotations

from rules.errors import Invalid

#: Decimals that are kept of a degree: a tenth of a metre, finer than any phone.
_DECIMALS = 6


def checked(
    latitude: float | None, longitude: float | None
) -> tuple[float, float] | tuple[None, None]:
    """Return the pair of degrees as it is kept; raises ``Invalid`` with a sentence at the field."""
    if latitude is None and longitude is None:
        return None, None
    problems: dict[str, str] = {}
    for name, label, value, most in (
        ("latitude", "纬度", latitude, 90),
        ("longitude", "经度", longitude, 180),
    ):
        if value is None:
            problems[name] = f"经纬度要么都填，要么都不填：还缺{label}。"
        # Said this way round, what is not a number is refused too.
        elif not -most <= value <= most:
            problems[name] = f"{label}应在 -{most} 到 {most} 之间，请改正，或重新定位。"
    if problems or latitude is None or longitude is None:
        raise Invalid("".join(problems.values()), **problems)
    return round(latitude, _DECIMALS), round(longitude, _DECIMALS)
