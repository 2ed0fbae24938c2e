"""What simulated agreements, resources, needs and services are about: plain data."""

from __future__ import annotations

from models.grade import Grade
from models.need import NeedStatus
from models.resource import Category

#: What units give, and how it is counted.
GOODS: dict[Category, tuple[tuple[str, str], ...]] = {
    Category.VENUE: (("多功能会议室", "间"), ("室内活动场馆", "处"), ("停车场错时车位", "个")),
    Category.TALENT: (("法律咨询志愿者", "人"), ("心理辅导老师", "人"), ("理论宣讲员", "人")),
    Category.TECHNOLOGY: (("家电维修技术", "人"), ("电路检修技术", "人")),
    Category.EQUIPMENT: (("流动体检车", "台"), ("投影音响设备", "套"), ("应急发电机", "台")),
    Category.FUNDS: (("助学帮扶资金", "元"), ("微心愿资金", "元")),
    Category.GOODS: (("米面油慰问品", "份"), ("图书和学习用品", "套")),
    Category.SERVICE: (("义诊和健康讲座", "次"), ("理发和上门清洁", "次"), ("政策宣讲", "次")),
}
#: What communities ask for; those after the bar are small wishes.
ASKED: dict[Category, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Category.VENUE: (("借用场地开展居民活动", "增加错时停车位"), ("借一间教室排练合唱",)),
    Category.TALENT: (("为居民讲解物业纠纷法律知识", "为青少年做心理辅导"), ("想学会用智能手机",)),
    Category.TECHNOLOGY: (("检修楼道老旧线路", "调试门禁设备"), ("修好家里的旧电视",)),
    Category.EQUIPMENT: (("体检车进小区", "借用音响办邻里节"), ("一副助听器",)),
    Category.FUNDS: (("补助困难家庭学生", "更换破损健身器材"), ("一笔暑期书本费",)),
    Category.GOODS: (("慰问高龄独居老人", "为活动室添置桌椅"), ("一台新电风扇", "一套课外书")),
    Category.SERVICE: (
        ("老年助餐配送", "暑期儿童托管", "居家诊疗"),
        ("过一次集体生日", "理一次发"),
    ),
}
SERVICES: dict[Category, str] = {
    Category.VENUE: "场地开放日",
    Category.TALENT: "志愿讲堂",
    Category.TECHNOLOGY: "便民维修",
    Category.EQUIPMENT: "设备进社区",
    Category.FUNDS: "爱心帮扶",
    Category.GOODS: "暖心慰问",
    Category.SERVICE: "为民服务",
}
POSTS = ("政策宣传岗", "文明劝导岗", "助老帮困岗", "环境维护岗", "矛盾调解岗", "平安巡防岗")
WORKS = ("入户走访独居老人", "参与小区环境整治", "文明交通劝导", "讲解惠民政策", "夜间平安巡逻")
PEOPLE = ("独居老人", "放学后无人看护的儿童", "残疾人家庭", "低保家庭", "全体居民")
#: status → how many of a hundred needs stand there
NEEDS: dict[NeedStatus, float] = {
    NeedStatus.GATHERED: 6,
    NeedStatus.PUBLISHED: 14,
    NeedStatus.CLAIMED: 8,
    NeedStatus.IN_HAND: 10,
    NeedStatus.DONE: 7,
    NeedStatus.RATED: 51,
    NeedStatus.CANCELLED: 4,
}
GRADES: dict[Grade, float] = {
    Grade.VERY_SATISFIED: 58,
    Grade.SATISFIED: 33,
    Grade.FAIR: 7,
    Grade.DISSATISFIED: 2,
}
