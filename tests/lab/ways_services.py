"""Arrangements of docs/ways/ that differ in what the real servers are asked."""

import pathlib
import re
import tempfile

from host_shell import on
from ways_case import ADDRESS, LATE, VIP, WayTest, holds, page, pages, wait_until


def variant(way, old, new):
    """The way's playbook with another text in it, under the same name and so of the same owner."""
    text = pathlib.Path(f"playbooks/ways/{way}.yml").read_text()
    if old not in text:
        raise AssertionError(f"{way} has no {old}")
    path = pathlib.Path(tempfile.mkdtemp(prefix="way-")) / f"{way}.yml"
    path.write_text(text.replace(old, new))
    return path


class PageChecks(WayTest):
    """3: real servers are asked for a page and for what is in it."""
    way = "page-checks"
    nodes = ("lb1", "lb2", "rs1", "rs2")
    servers = ("rs1", "rs2")
    RULES = [f"-A -t {VIP}:80 -s rr"] + [f"-a -t {VIP}:80 -r {ADDRESS[server]}:80 -g -w 1" for server in servers]
    NOTICED = 2 * 2 + 1  # s: two looks that fail

    def out(self, server):
        return f"-r {ADDRESS[server]}:80 -g -w 0"

    def test_1_it_is_what_the_classic_commands_set(self):
        self.roll_out()
        wait_until(lambda: on("lb1", "ipvsadm -Sn").splitlines() == self.RULES, self.NOTICED + LATE, "both are found well")
        wait_until(lambda: holds("lb1"), 4 + LATE, "lb1 is master")
        self.expect_clean()
        self.expect_nothing_changes()

    def test_2_a_wrong_page_behind_an_open_port_leaves_the_table(self):
        on("rs2", "touch /run/sick")
        wait_until(lambda: self.out("rs2") in on("lb1", "ipvsadm -Sn"), self.NOTICED + LATE, "rs2 gets nothing any more")
        self.assertEqual(pages(6), {"rs1": 6})
        self.assertEqual(page(ADDRESS["rs2"], path="/health"), "out of order")  # answered, with status 200
        self.assertIn("body", self.about("status", status=2))

    def test_3_sabotage_only_the_port_is_asked(self):
        only_port = variant(self.way, re.search(r"\n +- \{http: .*", pathlib.Path(f"playbooks/ways/{self.way}.yml").read_text()).group(), "")
        self.about("rollout", "-l", "lb1,lb2", "-T", "60", playbook=only_port)
        wait_until(lambda: self.out("rs2") not in on("lb1", "ipvsadm -Sn"), self.NOTICED + LATE, "rs2 is thought to be well")
        self.assertIn("out of order", pages(6, path="/health"))  # what clients get who are less lucky
        self.about("rollout", "-l", "lb1,lb2", "-T", "60")
        wait_until(lambda: self.out("rs2") in on("lb1", "ipvsadm -Sn"), self.NOTICED + LATE, "its page is asked for again")
        on("rs2", "rm /run/sick")
        wait_until(lambda: on("lb1", "ipvsadm -Sn").splitlines() == self.RULES, self.NOTICED + LATE, "rs2 is back")

    def test_4_it_goes_without_a_trace(self):
        self.take_away()
