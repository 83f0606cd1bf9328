"""What looks secret is found in any dress, and what only looks a little like it is not."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.forms.checks.fields import check_character
from reports.forms.lint import citizen
from reports.forms.lint import leaks
from reports.forms.lint import luhn


@pytest.mark.parametrize(
    ("text", "kind", "caught"),
    [
        ("网关192.0.2.17在线", "ipv4", "192.0.2.17"),
        ("网段 198.51.100.0/24。", "ipv4", "198.51.100.0/24"),
        ("１９２．０．２．１", "ipv4", "192.0.2.1"),
        ("192\u200b.0.2.1", "ipv4", "192.0.2.1"),
        ("地址 2001:db8::1 可达", "ipv6", "2001:db8::1"),
        ("fe80::1%eth0", "ipv6", "fe80::1%eth0"),
        ("::ffff:192.0.2.1", "ipv6", "::ffff:192.0.2.1"),
        ("02:00:00:00:0a:1b", "mac", "02:00:00:00:0a:1b"),
        ("02-00-00-00-0A-1B", "mac", "02-00-00-00-0A-1B"),
        ("0200.0000.0a1b", "mac", "0200.0000.0a1b"),
        ("0200aa.fffe.000a1b", "mac", "0200aa.fffe.000a1b"),
        ("卡号460001234567890。", "imsi", "460001234567890"),
        ("IMSI：001010123456789", "imsi", "001010123456789"),
        ("IMEI 490154203237518", "imei", "490154203237518"),
        ("49-015420-323751-8", "imei", "49-015420-323751-8"),
        ("89860012345678901234", "iccid", "89860012345678901234"),
        ("序列号：AB12-345678", "serial", "AB12-345678"),
        ("S/N 2102350ABC", "serial", "2102350ABC"),
        ("主机 plc7.plant.example 上", "host", "plc7.plant.example"),
        ("访问https://mes.corp.lan/a", "host", "mes.corp.lan"),
        ("C:\\Users\\zhang\\a.docx", "path", "C:\\Users\\zhang"),
        ("\\\\nas01\\share", "path", "\\\\nas01\\share"),
        ("电话13800138000。", "mobile", "13800138000"),
        ("+86 138 0013 8000", "mobile", "138 0013 8000"),
        ("021-55550000", "telephone", "021-55550000"),
        ("请发 someone@mail.example", "mail", "someone@mail.example"),
        ("192。0。2。1", "ipv4", "192。0。2。1"),
        ("192[.]0[.]2[.]1", "ipv4", "192[.]0[.]2[.]1"),
        ("fe80::1%ge-0/0/1", "ipv6", "fe80::1%ge"),
        ("02\u201100\u201100\u201100\u20110A\u20111B", "mac", "02-00-00-00-0A-1B"),
        ("0200-0000-0a1b", "mac", "0200-0000-0a1b"),
        ("02 00 00 00 0a 1b", "mac", "02 00 00 00 0a 1b"),
        ("MAC地址：０２００００００ＯＡ1B".replace("Ｏ", "０"), "mac", "020000000A1B"),
        ("460 00 1234567890", "imsi", "460 00 1234567890"),
        ("４６０-００-１２３４５６７８９０", "imsi", "460-00-1234567890"),
        ("IMSI: 001 01 0123456789", "imsi", "001 01 0123456789"),
        ("IMEI: 123456789012345", "imei", "123456789012345"),
        ("49 015420 323751 8", "imei", "49 015420 323751 8"),
        ("8986 0012 3456 7890 1234", "iccid", "8986 0012 3456 7890 1234"),
        ("序列号（SN）：2102350ABC", "serial", "2102350ABC"),
        ("主机名：PLC-07", "host", "PLC-07"),
        ("file:///C:/Users/zhang/a.docx", "path", "file:///C:/Users/zhang/a.docx"),
        ("D:\\项目\\张三", "path", "D:\\项目\\张三"),
        ("(021)55550000", "telephone", "(021)55550000"),
        ("+86-21-55550000", "telephone", "+86-21-55550000"),
        ("110105 19491231 002X", "citizen", "110105 19491231 002X"),
        ("身份证11010519491231002X", "citizen", "11010519491231002X"),
    ],
)
def test_a_secret_is_found(text: str, kind: str, caught: str) -> None:
    assert (kind, caught) in [tuple(leak) for leak in leaks(text)]


@pytest.mark.parametrize(
    "text",
    [
        "第 1.2.3 节", "999.1.1.1", "12:30:45", "比例 1:2:3", "std::vector", "10,570 个报文", "2026-11-22 11:13:51",
        "依据 GB/T 39116-2020", "490154203237519", "123456789012345", "11010519491231002A", "版本 0.1.0",
        "www.c3mep.cn", "results.json", "3GPP TS 22.261", "证据 5c764233a72bf844cf8922b876eceddd13d7332e54e722d532d7",
        "a@b", "SN 表", "TSN 7/7", "−85 dBm", "189.5 Mbit/s", "0.08632 … 0.1551", "IPv6 网络", "1380013800",
        "10 20 30 40 50 60", "主机名和个人信息", "SN\n2102350ABC", "http://www.w3.org/2001/XMLSchema", "GB/T 0460-0012",
    ],
)  # fmt: skip
def test_what_is_none_is_left_alone(text: str) -> None:
    assert list(leaks(text)) == []


def test_what_a_form_asks_for_may_be_left_out() -> None:
    assert [leak.kind for leak in leaks("13800138000 192.0.2.1", without={"mobile"})] == ["ipv4"]


@given(st.ip_addresses(), st.sampled_from(["", "。", "，是 ", " "]))
def test_every_address_is_found(address: ipaddress.IPv4Address | ipaddress.IPv6Address, around: str) -> None:
    if str(address) == "::":
        return
    assert f"ipv{address.version}" in {leak.kind for leak in leaks(f"{around}{address}{around}")}


@given(st.lists(st.integers(0, 255), min_size=6, max_size=6), st.sampled_from([":", "-"]))
def test_every_hardware_address_is_found(octets: list[int], separator: str) -> None:
    written = separator.join(f"{one:02x}" for one in octets)
    assert ("mac", written) in [tuple(leak) for leak in leaks(f"接口{written}。")]


@given(st.text(max_size=300))
def test_no_text_makes_it_fail(text: str) -> None:
    assert all(leak.text for leak in leaks(text))


@pytest.mark.parametrize(
    "text", ["0:" * 40_000, "1." * 40_000, "a." * 40_000, "-" * 80_000, "a@" * 40_000, "9" * 80_000]
)
def test_hostile_text_takes_no_time(text: str) -> None:
    found = list(leaks(text))  # it would take hours if a pattern backtracked
    assert all(leak.text in text for leak in found)


@given(st.text("0123456789", min_size=14, max_size=14))
def test_one_wrong_digit_is_no_imei(body: str) -> None:
    right = [digit for digit in "0123456789" if luhn(body + digit)]
    assert len(right) == 1


def test_a_citizens_number_has_a_date_and_a_check_character() -> None:
    assert citizen("11010519491231002X")
    assert not citizen("110105194912310021")
    assert not citizen("11010519491331002X")


@given(st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=17, max_size=17), st.integers(0, 16))
def test_a_changed_character_changes_the_check_character(body: str, at: int) -> None:
    other = body[:at] + ("1" if body[at] != "1" else "2") + body[at + 1 :]
    assert check_character(body) != check_character(other)
    assert len(check_character(body)) == 1


@pytest.mark.parametrize("code", ["91350100M000100Y43"])
def test_the_example_has_their_check_character(code: str) -> None:
    assert check_character(code[:17]) == code[17]
