"""Scans are judged by their bytes: each kind, each lie, sizes, numbers, names and what is kept."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.agreement import Agreement
from models.ledger import AuditEntry
from models.scan import AgreementScan, ScanKind
from rules import attachments, scans
from rules.actor import SYSTEM, acting_as
from rules.attachments import clean_name, keep, path_of, size_text
from rules.errors import Conflict, Invalid, OutOfScope
from rules.references import refuse_if_referenced
from rules.scans import attach, kind_of
from rules.word_files import Limits, NotAWordFile, parts_of
from tests.factories.files import OLE, PDF, huge_png, picture, with_part, word, zipped
from tests.factories.world import World

JPEG, PNG = picture("JPEG"), picture("PNG")
DOCX = word("共驻共建协议书")
XLSX = zipped({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"})


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("协议.pdf", PDF, ScanKind.PDF),
        ("协议.PDF", PDF + b"\x00" * 2000, ScanKind.PDF),
        ("第一页.jpg", JPEG, ScanKind.JPEG),
        ("第一页.JPEG", JPEG, ScanKind.JPEG),
        ("第一页.png", PNG, ScanKind.PNG),
        ("协议.docx", DOCX, ScanKind.DOCX),
    ],
)
def test_each_kind_by_its_content(name: str, content: bytes, kind: ScanKind) -> None:
    assert kind_of(name, content) is kind


@pytest.mark.parametrize(
    ("name", "content", "really"),
    [
        ("假.pdf", JPEG, "JPEG 图片"),
        ("假.jpg", PNG, "PNG 图片"),
        ("假.png", JPEG, "JPEG 图片"),
        ("假.docx", PDF, "PDF 文档"),
        ("假.docx", XLSX, "Excel 工作簿"),
        ("假.docx", zipped({"a.txt": b"a"}), "普通的压缩文件"),
        ("假.docx", DOCX[:-200], "已损坏的压缩文件"),
        ("假.docx", with_part(DOCX, "word/vbaProject.bin", b"x"), "带宏的 Word 文档"),
        ("假.docx", OLE, "旧版 Office 文档或加了密码的文档"),
        ("半.pdf", PDF[:30], "不完整的 PDF 文档（没有结束标记）"),
        ("头.pdf", b" " + PDF, "文本文件"),
        ("网页.pdf", b"<html><script>alert(1)</script></html>", "网页或 XML 文本"),
        ("图.png", b"<svg xmlns='x' onload='alert(1)'/>", "网页或 XML 文本"),
        ("动图.jpg", picture("GIF"), "GIF 图片"),
        ("程序.pdf", b"MZ" + b"\x00" * 600, "程序"),
        ("坏.png", PNG[:40], "已损坏的PNG 图片"),
        ("改.png", PNG[:60] + b"\x00" + PNG[61:], "已损坏的PNG 图片"),
        ("坏.jpg", JPEG[:12], "已损坏的JPEG 图片"),
        ("大.png", huge_png(), "像素过多的PNG 图片"),
        ("稍大.png", huge_png(10_000, 10_000), "像素过多的PNG 图片"),
        ("乱.jpg", b"\x00\x01\x02" * 50, "无法识别的文件"),
    ],
)
def test_each_lie_is_told(name: str, content: bytes, really: str) -> None:
    """The sentence names the file, what it is called and what it is."""
    with pytest.raises(Invalid) as refusal:
        kind_of(name, content)
    ending = name.rpartition(".")[2]
    assert f"“{name}”的后缀是“{ending}”，内容却是{really}。" in refusal.value.message


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("协议.exe", "“协议.exe”后缀是“exe”，内容是PDF 文档"),
        ("协议.pdf.scr", "“协议.pdf.scr”后缀是“scr”"),
        ("协议", "“协议”没有后缀，内容是PDF 文档"),
    ],
)
def test_other_endings_are_refused_whatever_is_inside(name: str, said: str) -> None:
    with pytest.raises(Invalid) as refusal:
        kind_of(name, PDF)
    assert said in refusal.value.message
    assert "只能上传 pdf、jpg、png、docx" in refusal.value.message


def test_size_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert scans.LARGEST == 20 << 20
    monkeypatch.setattr(scans, "LARGEST", len(PDF))
    assert kind_of("恰好.pdf", PDF) is ScanKind.PDF
    with pytest.raises(Invalid, match=r"“多一点\.pdf”超过"):
        kind_of("多一点.pdf", PDF + b"\n")
    with pytest.raises(Invalid, match=r"“空\.pdf”是空文件"):
        kind_of("空.pdf", b"")


def test_bombs_are_counted_as_they_expand() -> None:
    bomb = with_part(DOCX, "word/media/image1.bin", b"\x00" * 3_000_000)
    assert "word/document.xml" in parts_of(bomb)
    with pytest.raises(NotAWordFile, match="展开后超过 1 MB"):
        parts_of(bomb, Limits(expanded=1 << 20))
    with pytest.raises(NotAWordFile, match="部件太多"):
        parts_of(bomb, Limits(entries=5))
    with pytest.raises(NotAWordFile, match="没有正文"):
        parts_of(with_part(DOCX, "word/document.xml", b""))


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("协议.pdf", "协议.pdf"),
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\temp\\..\\协议.pdf", "协议.pdf"),
        ("/", "扫描件"),
        ("...", "扫描件"),
        ("a\x00\r\nb.pdf", "ab.pdf"),
        ("协议\u202efdp.exe", "协议fdp.exe"),
        ("长" * 300 + ".pdf", "长" * 116 + ".pdf"),
        ("无点" + "长" * 300, "无点" + "长" * 118),
        ("cafe\u0301.pdf", "café.pdf"),
    ],
)
def test_names_are_no_paths(given: str, shown: str) -> None:
    assert clean_name(given, "扫描件") == shown


def test_sizes_in_words() -> None:
    assert [size_text(n) for n in (1, 2048, 1 << 20, 3_500_000)] == [
        "1 KB", "2 KB", "1.0 MB", "3.3 MB",
    ]  # fmt: skip


def test_bytes_are_kept_once_under_their_hash(tmp_path: Path) -> None:
    digest = keep(PDF, tmp_path)
    assert digest == hashlib.sha256(PDF).hexdigest()
    assert keep(PDF, tmp_path) == digest
    assert [each.name for each in (tmp_path / attachments.FOLDER).iterdir()] == [digest]
    assert path_of(digest, tmp_path).read_bytes() == PDF
    path_of(digest, tmp_path).write_bytes(PDF[:5])
    keep(PDF, tmp_path)
    assert path_of(digest, tmp_path).read_bytes() == PDF, "half a file is mended"
    for wrong in ("", "../../etc/passwd", digest.upper(), digest + "0"):
        with pytest.raises(ValueError, match="SHA-256"):
            path_of(wrong, tmp_path)


def test_nothing_is_left_of_a_file_that_could_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*given: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(attachments.os, "fsync", full)
    with pytest.raises(OSError, match="disk full"):
        keep(PDF, tmp_path)
    assert list((tmp_path / attachments.FOLDER).iterdir()) == []


@pytest.fixture
def agreement(one_world: World) -> Agreement:
    found = one_world.agreement("A11", "A-U1", "1号")
    one_world.step(found, "bring_into_force", "party")
    one_world.session.commit()
    return found


def stored(session: Session) -> list[tuple[str, ScanKind, int]]:
    """Return what scans there are."""
    rows = session.scalars(select(AgreementScan).order_by(AgreementScan.id))
    return [(each.file_name, each.kind, each.size) for each in rows]


def test_files_are_attached_in_force_too(
    one_session: Session, one_world: World, agreement: Agreement, tmp_path: Path
) -> None:
    party = one_world.actor("party")
    with acting_as(one_session, party):
        added = attach(
            one_session, agreement, [("d/协议.pdf", PDF), ("页.jpg", JPEG)], party, tmp_path
        )
        one_session.commit()
    assert [each.uploaded_by for each in added] == ["party", "party"]
    assert stored(one_session) == [
        ("协议.pdf", ScanKind.PDF, len(PDF)),
        ("页.jpg", ScanKind.JPEG, len(JPEG)),
    ]
    for scan in added:
        assert path_of(scan.file_hash, tmp_path).is_file()


def test_one_wrong_file_keeps_all_out(
    one_session: Session, agreement: Agreement, tmp_path: Path
) -> None:
    """Every refused file has its sentence."""
    attach(one_session, agreement, [("旧.pdf", PDF)], SYSTEM, tmp_path)
    one_session.commit()
    files = [("好.png", PNG), ("假.pdf", JPEG), ("又.pdf", PDF), ("空.png", b"")]
    with pytest.raises(Invalid) as refusal:
        attach(one_session, agreement, files, SYSTEM, tmp_path)
    one_session.commit()
    said = refusal.value.message
    assert said.startswith("没有上传。")
    assert "“假.pdf”的后缀" in said
    assert "“又.pdf”与“旧.pdf”内容相同" in said
    assert "“空.png”是空文件" in said
    assert "好.png" not in said
    assert len(stored(one_session)) == 1


def test_an_agreement_takes_twenty(
    one_session: Session, agreement: Agreement, tmp_path: Path
) -> None:
    assert scans.MOST == 20
    files = [(f"{n}.pdf", PDF + b"\n" * n) for n in range(21)]
    with pytest.raises(Conflict, match="最多 20 个扫描件，已有 0 个，这次又选了 21 个"):
        attach(one_session, agreement, files, SYSTEM, tmp_path)
    attach(one_session, agreement, files[:20], SYSTEM, tmp_path)
    one_session.commit()
    with pytest.raises(Conflict, match="已有 20 个，这次又选了 1 个"):
        attach(one_session, agreement, files[20:], SYSTEM, tmp_path)


@pytest.mark.parametrize("account", ["partyb", "unit", "community", "leader"])
def test_others_attach_nothing(
    one_session: Session, one_world: World, agreement: Agreement, tmp_path: Path, account: str
) -> None:
    """The gate itself refuses whoever may not edit the agreement."""
    actor = one_world.actor(account)
    with acting_as(one_session, actor):
        attach(one_session, agreement, [("协议.pdf", PDF)], actor, tmp_path)
        with pytest.raises(OutOfScope):
            one_session.flush()
    one_session.rollback()
    assert stored(one_session) == []


def test_scans_go_with_their_agreement(
    one_session: Session, one_world: World, tmp_path: Path
) -> None:
    """They do not keep it from being deleted, and each leaves its line in the log."""
    draft = one_world.agreement("A11", "A-U2", "2号")
    attach(one_session, draft, [("协议.pdf", PDF), ("页.png", PNG)], SYSTEM, tmp_path)
    one_session.commit()
    party = one_world.actor("party")
    with acting_as(one_session, party):
        refuse_if_referenced(one_session, draft)
        one_session.delete(draft)
        one_session.commit()
    assert stored(one_session) == []
    gone = select(AuditEntry.record_title).where(
        AuditEntry.record_type == "agreement_scan", AuditEntry.action == "delete"
    )
    assert sorted(one_session.scalars(gone)) == ["协议.pdf", "页.png"]
