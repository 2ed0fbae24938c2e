"""The demo county's resources, needs, services and check-ins, as data (domain section 4).

Dates are days from today; a step is (action, account, data), where data may name a member by his
name and a grade by its value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from presets.demo_county import COMMUNITY

Step = tuple[str, str, dict[str, Any]]

SCHOOL, HOSPITAL, BANK, ESTATE = "640199-U01", "640199-U02", "640199-U03", "640199-U04"
SECOND = "640199100202"


@dataclass(frozen=True)
class DemoRecord:
    """One record: its values (organisations by code, enums by value) and the steps taken on it."""

    values: dict[str, Any]
    steps: tuple[Step, ...] = ()
    #: how many days ago it was made; its steps follow a day apart
    ago: int = 9
    #: keys of what hangs from it: communities, needs and resources by title, rows of its own
    offers: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    rows: tuple[dict[str, Any], ...] = ()


_OFFER: tuple[Step, ...] = (("offer", "party", {}),)
_PUBLISH: Step = ("publish", "community", {})

RESOURCES = (
    DemoRecord({"owner": SCHOOL, "name": "阶梯教室", "category": "venue", "quantity": 2, "measure": "间", "hours": "周末与寒暑假 8:30–17:30", "description": "可坐 120 人，有投影和音响。", "contact": "李老师", "phone": "13909520011"}, _OFFER),
    DemoRecord({"owner": SCHOOL, "name": "学生志愿辅导队", "category": "talent", "quantity": 3, "measure": "组", "hours": "周六下午", "description": "高中生志愿者，可辅导小学功课。", "contact": "王老师", "phone": "13909520012"}, _OFFER, offers=(COMMUNITY,)),
    DemoRecord({"owner": HOSPITAL, "name": "全科医生义诊队", "category": "service", "quantity": 1, "measure": "队", "hours": "每月第二个周三", "description": "量血压、测血糖、用药指导，可上门。", "contact": "赵医生", "phone": "13809520021"}, _OFFER),
    DemoRecord({"owner": HOSPITAL, "name": "轮椅与拐杖", "category": "equipment", "quantity": 6, "measure": "套", "contact": "护理部", "phone": "0952-2010088"}, _OFFER),
    DemoRecord({"owner": BANK, "name": "防范电信诈骗宣讲员", "category": "talent", "quantity": 4, "measure": "人", "contact": "孙经理", "phone": "13709520031"}, _OFFER),
    DemoRecord({"owner": ESTATE, "name": "夜间巡逻队", "category": "service", "quantity": 1, "measure": "队", "hours": "每晚 20:00–24:00", "contact": "物业值班室", "phone": "13609520041"}, _OFFER),
    DemoRecord({"owner": ESTATE, "name": "地下车库空位", "category": "venue", "quantity": 20, "measure": "个", "contact": "物业值班室", "phone": "13609520041"}),
)  # fmt: skip

CHECK_INS = (
    DemoRecord({"member": "周建国", "unit": SCHOOL, "community": COMMUNITY, "post": "助学辅导岗", "skills": "数学教学", "phone": "13909521001", "reported_on": -120}, (("confirm", "community", {}),), rows=({"held_on": -40, "hours": "2", "content": "辅导社区小学生数学作业", "place": "社区活动室"}, {"held_on": -12, "hours": "1.5", "content": "整理社区图书角", "place": "社区图书室"})),
    DemoRecord({"member": "马秀兰", "unit": HOSPITAL, "community": COMMUNITY, "post": "健康服务岗", "skills": "慢病管理", "phone": "13809521002", "reported_on": -90}, (("confirm", "community", {}), ("report_back", "party", {"report": "半年来上门随访独居老人 12 人次，建立健康档案 9 份。"})), rows=({"held_on": -30, "hours": "3", "content": "上门为独居老人量血压、整理药箱", "place": "阳光家园"},)),
    DemoRecord({"member": "陈立新", "unit": SCHOOL, "community": COMMUNITY, "post": "文明劝导岗", "phone": "13909521003", "reported_on": -2}),
    DemoRecord({"member": "刘志强", "unit": ESTATE, "community": SECOND, "post": "平安巡逻岗", "phone": "13609521004", "reported_on": -60}, (("confirm", "party", {}),), rows=({"held_on": -5, "hours": "4", "content": "夜间巡逻，劝离飞线充电", "place": "二号院"},)),
)  # fmt: skip

NEEDS = (
    DemoRecord({"community": COMMUNITY, "title": "放学后无人看护的孩子想有地方写作业", "category": "venue", "urgency": "urgent", "source": "visit", "detail": "双职工家庭的孩子 4 点半放学后没人管，希望有一间教室。", "beneficiaries": "小学生", "beneficiary_count": 35, "wanted_from": 3, "wanted_until": 60, "contact": "张大姐", "phone": "13995210001"}, (_PUBLISH,)),
    DemoRecord({"community": COMMUNITY, "title": "独居老人想要每月量一次血压", "category": "service", "source": "patrol", "detail": "1、3 号楼独居老人 14 户，腿脚不便。", "beneficiaries": "独居老人", "beneficiary_count": 14, "contact": "网格员小何", "phone": "13995210002"}, (_PUBLISH,)),
    DemoRecord({"community": COMMUNITY, "title": "王奶奶想借一辆轮椅去看孙子毕业", "category": "equipment", "is_wish": True, "source": "visit", "detail": "6 月 20 日用一天。", "beneficiaries": "高龄老人", "beneficiary_count": 1, "contact": "王奶奶的女儿", "phone": "13995210003"}, (_PUBLISH, ("claim", "unit", {}))),
    DemoRecord({"community": COMMUNITY, "title": "三年级的小宇想要一套课外书", "category": "goods", "is_wish": True, "source": "visit", "beneficiaries": "困境儿童", "beneficiary_count": 1, "contact": "小宇的爷爷", "phone": "13995210004"}, (_PUBLISH,)),
    DemoRecord({"community": COMMUNITY, "title": "给失明的老刘读报", "category": "service", "is_wish": True, "source": "meeting", "beneficiaries": "残疾人", "beneficiary_count": 1}, (_PUBLISH, ("claim_for", "community", {"check_in": "周建国"}), ("start", "community", {}))),
    DemoRecord({"community": COMMUNITY, "title": "暑期托管", "category": "talent", "source": "meeting", "detail": "七八月小学生托管，需要辅导老师。", "beneficiaries": "小学生", "beneficiary_count": 40}, (_PUBLISH,), ago=45),
    DemoRecord({"community": COMMUNITY, "title": "老年人学用智能手机", "category": "talent", "source": "hotline", "beneficiaries": "老年人", "beneficiary_count": 25}, (_PUBLISH,), ago=90),
    DemoRecord({"community": COMMUNITY, "title": "楼下健身器材除锈上漆", "category": "goods", "source": "snapshot", "beneficiaries": "全体居民", "beneficiary_count": 300}),
    DemoRecord({"community": SECOND, "title": "夜里有人巡逻就放心了", "category": "service", "urgency": "urgent", "source": "meeting", "detail": "院里连着丢了三次电动车电瓶。", "beneficiaries": "全体居民", "beneficiary_count": 820, "contact": "楼长老冯", "phone": "13995210009"}, (("publish", "party", {}),)),
)  # fmt: skip

SERVICES = (
    DemoRecord(
        {"title": "暑期托管班", "category": "talent", "provider": SCHOOL, "community": COMMUNITY, "planned_from": -30, "planned_until": 30, "funds": "3600.00", "content": "周一至周五 8:30–12:00，作业辅导和阅读。", "contact": "王老师", "phone": "13909520012"},
        (("start", "unit", {}),), ago=32, needs=("暑期托管",), resources=("学生志愿辅导队", "阶梯教室"),
        rows=(
            {"held_on": -20, "starts_at": "08:30", "ends_at": "12:00", "place": "一中阶梯教室", "staff": "周建国、志愿者 6 人", "expected": 40, "attended": 36},
            {"held_on": -13, "starts_at": "08:30", "ends_at": "12:00", "place": "一中阶梯教室", "staff": "周建国、志愿者 5 人", "expected": 40, "attended": 38},
            {"held_on": 6, "starts_at": "08:30", "ends_at": "12:00", "place": "一中阶梯教室", "staff": "志愿者 6 人", "expected": 40},
        ),
    ),
    DemoRecord(
        {"title": "银龄手机课堂", "category": "talent", "provider": SCHOOL, "community": COMMUNITY, "planned_from": -75, "planned_until": -40, "funds": "800.00", "content": "四次课，学会挂号、缴费和视频通话。"},
        (("start", "unit", {}), ("complete", "unit", {"outcome": "25 位老人学会手机挂号，人均通过四项小测验。"}), ("rate", "community", {"grade": "very_satisfied"})),
        ago=75,
        needs=("老年人学用智能手机",), resources=("学生志愿辅导队",),
        rows=(
            {"held_on": -70, "starts_at": "14:30", "ends_at": "16:00", "place": "社区活动室", "staff": "志愿者 4 人", "expected": 25, "attended": 22},
            {"held_on": -45, "starts_at": "14:30", "ends_at": "16:00", "place": "社区活动室", "staff": "志愿者 4 人", "expected": 25, "attended": 25},
        ),
    ),
)  # fmt: skip
