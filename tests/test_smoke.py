def test_walk(world, session, login):
    ticket = world.dispatched(duty_item=world.item("路灯安装与维修"), assisting=("A-D2",))
    session.commit()
    for who, action, data in [("handler","accept",{}),("handler2","assist_accept",{}),("handler","arrive",{}),("handler","report_result",{"result":"修好了"})]:
        world.step(ticket, action, who, **data)
    session.commit()
    for who in ("office","community","handler","handler2","township","admin","leader"):
        c=login(who)
        r=c.get(f"/tickets/show/{ticket.id}"); assert r.status_code==200, r.text
        assert c.get("/tickets/list/").text.count("路灯不亮")>=1
    for who in ("officeb","handlerb","community2","party"):
        c=login(who)
        assert c.get(f"/tickets/show/{ticket.id}").status_code in (403,404)
