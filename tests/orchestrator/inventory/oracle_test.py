#!/usr/bin/env python3
"""Compares our inventories with Ansible's own, which runs inside this process.

Usage: oracle_test.py ANSWERS GOLDEN [--cases N] [--seed S]

ANSWERS is the program inventory_answers, GOLDEN the folder of fixture inventories. Beside the
fixtures a few hundred inventories, literals, YAML scalars and patterns are made up from a seed.
Where we are stricter on purpose the difference is named in STRICTER; everything else must agree.
"""
import argparse
import ast
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

HOME = tempfile.mkdtemp(prefix="drover-oracle-")
for name in [n for n in os.environ if n.startswith("ANSIBLE_")]:
    del os.environ[name]
open(os.path.join(HOME, "ansible.cfg"), "w").close()
os.environ.update(ANSIBLE_CONFIG=os.path.join(HOME, "ansible.cfg"), HOME=HOME, ANSIBLE_LOCALHOST_WARNING="0",
                  ANSIBLE_LOCAL_TEMP=HOME, ANSIBLE_DEPRECATION_WARNINGS="0")

from ansible import constants as C  # noqa: E402  must fail, not skip, without Ansible
from ansible import context  # noqa: E402
from ansible.cli.inventory import InventoryCLI  # noqa: E402
from ansible.inventory.manager import InventoryManager  # noqa: E402
from ansible.module_utils.common.collections import ImmutableDict  # noqa: E402
from ansible.parsing.ajson import AnsibleJSONEncoder  # noqa: E402
from ansible.parsing.dataloader import DataLoader  # noqa: E402
from ansible.plugins.vars import host_group_vars  # noqa: E402
from ansible.utils.display import Display  # noqa: E402
from ansible.vars.manager import VariableManager  # noqa: E402

OPTIONS = None

# Refusals of ours where Ansible goes on, by a part of the message.
STRICTER = [
    "runs backwards", "the step of a host range", "is not between 1 and 65535",
    "the ends of a host range", "is given twice", "a group has no key", "must be a mapping",
    "a variable needs a name", "expected name=value here", "is no section header",
    "has no meaning here", "beyond 64 bits", "does not fit into 64 bits",
    "cannot be a child of another group", "ansible_group_priority must be", "matches no host",
    "no host or group matches", "is empty", "selects nothing", "a host needs a name",
    "a name is missing behind", "is not supported yet", "is not known or not possible here",
    "lone surrogate", "a key is missing in front of", "no inventory file", "ends in no valid subscript",
]

# Broken YAML that libyaml refuses and yaml-cpp reads, by a part of libyaml's message.
LAXER = [
    "found unexpected ':'", "did not find expected alphabetic or numeric character",
    "found a tab character where an indentation space is expected",
    "found character that cannot start any token", "did not find expected node content",
    "found unknown escape character",
]


def is_stricter(error):
    return any(part in error for part in STRICTER)


class Answers:
    """Our program, asked line by line."""

    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, request):
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"our program ended at {request}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Oracle:
    """Ansible, with its caches dropped before each inventory."""

    def __init__(self):
        for level in ("warning", "display", "vvv", "vvvv", "error", "deprecated"):
            setattr(Display, level, lambda *a, **k: None)
        C.INVENTORY_ANY_UNPARSED_IS_FAILED = True
        C.LOCALHOST = frozenset()

    def load(self, sources, playbook_dir=None):
        """An InventoryCLI that has read the sources; raises when Ansible refuses one."""
        host_group_vars.FOUND.clear()
        context.CLIARGS = ImmutableDict(
            {"export": False, "yaml": False, "toml": False, "show_vars": False, "basedir":
             playbook_dir, "pattern": "all", "verbosity": 0, "args": "all"})
        cli = InventoryCLI(["ansible-inventory"])
        cli.loader = DataLoader()
        if playbook_dir:
            cli.loader.set_basedir(playbook_dir)
        cli.inventory = InventoryManager(loader=cli.loader, sources=sources)
        cli.vm = VariableManager(loader=cli.loader, inventory=cli.inventory)
        return cli

    def answer(self, cli, question):
        what, about = question[0], question[1] if len(question) > 1 else ""
        if what == "list":
            return cli.dump(cli.json_inventory(cli._get_group("all"))) + "\n"
        if what == "graph":
            return "\n".join(cli._graph_group(cli._get_group(about or "all"))) + "\n"
        hosts = [h.name for h in cli.inventory.get_hosts(about)]
        if what == "names":
            return hosts
        if what == "host":
            if len(hosts) != 1:
                raise ValueError("not one host")
            host = cli.inventory.get_host(hosts[0])
            return cli.dump(cli._get_host_variables(host=host)) + "\n"
        return f"  hosts ({len(hosts)}):\n" + "".join(f"    {h}\n" for h in hosts)


class Comparison(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.answers = Answers(OPTIONS.answers)
        cls.oracle = Oracle()
        cls.stricter = 0
        cls.compared = 0
        os.makedirs(os.path.join(HOME, "empty"), exist_ok=True)
        os.chdir(os.path.join(HOME, "empty"))

    @classmethod
    def tearDownClass(cls):
        cls.answers.close()
        sys.stderr.write(f"\n{cls.compared} compared, {cls.stricter} refused by us on purpose\n")

    def theirs(self, sources, playbook_dir, questions):
        try:
            cli = self.oracle.load(sources, playbook_dir)
        except Exception as error:  # their refusals have many types
            return {"error": str(error)}
        results = []
        for question in questions:
            try:
                results.append({"text": self.oracle.answer(cli, question)})
            except Exception as error:
                results.append({"error": str(error)})
        return {"answers": results}

    def compare(self, what, sources, questions, playbook_dir=None):
        ours = self.answers.ask({"sources": sources, "playbook_dir": playbook_dir or "",
                                 "ask": questions})
        theirs = self.theirs(sources, playbook_dir, questions)
        self.agree(what, ours, theirs)
        if "answers" not in ours or "answers" not in theirs:
            return
        for question, mine, other in zip(questions, ours["answers"], theirs["answers"]):
            self.agree(f"{what}\nasked {question}", mine, other)

    def agree(self, what, ours, theirs):
        type(self).compared += 1
        if "error" in ours and is_stricter(ours["error"]):
            type(self).stricter += 1
            return
        if "error" in ours and "error" in theirs:
            return
        if any(part in theirs.get("error", "") for part in LAXER):
            return
        if "error" in ours or "error" in theirs:
            self.fail(f"{what}\nours: {ours}\ntheirs: {theirs}")
        if "text" in ours:
            self.assertEqual(theirs["text"], ours["text"], what)

    def write(self, name, text):
        folder = tempfile.mkdtemp(dir=HOME)
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8", newline="") as out:
            out.write(text)
        return path


class Fixtures(Comparison):
    """The inventories below tests/golden/inventory. Each folder or file is one; a folder with a
    file "sources" names its sources (and playbook=DIR) in it."""

    def cases(self):
        for name in sorted(os.listdir(OPTIONS.golden)):
            path = os.path.join(OPTIONS.golden, name)
            sources, playbook = [path], None
            listing = os.path.join(path, "sources")
            if os.path.exists(listing):
                sources = []
                for line in open(listing, encoding="utf-8").read().split():
                    if line.startswith("playbook="):
                        playbook = os.path.join(path, line[len("playbook="):])
                    else:
                        sources.append(line if "," in line else os.path.join(path, line))
            yield name, sources, playbook

    def test_all_fixtures_agree_with_ansible(self):
        count = 0
        for name, sources, playbook in self.cases():
            with self.subTest(name):
                cli = self.oracle.load(sources, playbook)  # a fixture must be valid for Ansible
                questions = [["list"], ["graph", ""]]
                questions += [["graph", g] for g in cli.inventory.groups]
                questions += [["host", h] for h in list(cli.inventory.hosts)[:12]]
                # Ansible orders groups from the third level on by their hash, anew in each run.
                if name != "deep_tree.yml":
                    questions += [["hosts", "all"]]
                ours = self.answers.ask({"sources": sources, "playbook_dir": playbook or "",
                                         "ask": questions})
                self.assertNotIn("error", ours, name)
                self.compare(name, sources, questions, playbook)
                count += 1
        self.assertGreaterEqual(count, 25)

    def test_list_output_read_again_is_the_same(self):
        for name, sources, playbook in self.cases():
            with self.subTest(name):
                cli = self.oracle.load(sources, playbook)
                text = self.oracle.answer(cli, ["list"])
                path = self.write("saved.json", text)
                ours = self.answers.ask({"sources": [path], "ask": [["list"]]})
                self.assertEqual(ours.get("answers", [{}])[0].get("text"), text, name)


class MadeUp(Comparison):
    """Differential fuzzing from a seed."""

    def setUp(self):
        self.random = random.Random(OPTIONS.seed)

    def pick(self, *items):
        return self.random.choice(items)

    def some(self, least, most, make):
        return [make() for _ in range(self.random.randint(least, most))]

    # INI ------------------------------------------------------------------------------------

    def literal(self, depth=0):
        r = self.random
        simple = [
            lambda: str(r.randint(-50, 5000)), lambda: self.pick("0", "00", "01", "08", "0777"),
            lambda: self.pick("0x1F", "0o17", "0b101", "1_000", "1__0", "1_", "0x", "0_0"),
            lambda: self.pick("1.5", ".5", "5.", "1e3", "1e-7", "1.10", "1e400", "1e16", "1e22",
                              "0.0001", "0.00001", "123456789.123456789", "01.5", "1e", "1.e5"),
            lambda: self.pick("True", "False", "None", "true", "yes", "no", "null", "~", "TRUE"),
            lambda: self.pick("'x'", '"x"', "'it\\'s'", '"a\\nb"', "'\\x41\\u00e9'", "'a' 'b'",
                              "r'\\n'", "u'x'", "b'x'", "'''t'''", "'\\q'", "'\\101'", "f'x'",
                              "'unclosed", "''", '""'),
            lambda: self.pick("10.0.0.1", "2024-01-01", "1+2", "10-5", "1L", "a b", "web", "é",
                              "-5", "+5", "--5", "-(5)", "- 5", "1j", "..." , "-True", "x=y"),
            lambda: self.pick("/etc/x", "{{ var }}", "a,b", "user@host", "$x", "a:b", "*", "a\\b"),
        ]
        if depth > 2 or r.random() < 0.6:
            return r.choice(simple)()
        inner = lambda: self.literal(depth + 1)  # noqa: E731
        sep = self.pick(", ", ",", " , ")
        items = sep.join(self.some(0, 3, inner))
        pairs = sep.join(f"{self.literal(3)}{self.pick(':', ': ')}{inner()}"
                         for _ in range(r.randint(0, 3)))
        tail = self.pick("", "", "", ",")
        return self.pick(f"[{items}{tail}]", f"({items}{tail})", f"{{{pairs}{tail}}}", items,
                         f"({inner()})", f"{inner()} # c")

    def quoted(self, text):
        return self.pick(text, text, f"'{text}'", f'"{text}"', text.replace(" ", "\\ "))

    def host(self):
        return self.pick("web1", "web2", "db1", "a.example.com", "10.0.0.1", "h-1", "x_", "é1",
                         "web[1:3]", "web[01:03]", "n[a:c]", "r[0:10:5].x", "m[1:2]n[1:2]",
                         "web1:2222", "10.0.0.2:22", "[::1]:22", "::1", "fe80::1", "a..b:22",
                         "foo-.bar:22", "a:b:22", "[1:3].x", "k[8:011]", "k[3:1]", "k[:2]",
                         "k[1:]", "k[a:C]", "k[1:2", "h[1]", "web1,", "[x]:1", "q[1:3]:77")

    def host_line(self):
        parts = [self.host()]
        for _ in range(self.random.choice([0, 0, 1, 1, 2, 3])):
            name = self.pick("a", "b", "ansible_port", "ansible_host", "v-1", "é")
            parts.append(f"{name}={self.quoted(self.literal())}")
        line = self.pick(" ", "  ", "\t").join(parts)
        return self.pick("", "", "  ") + line + self.pick("", "", "", " # c", "#c", " ;c")

    def group(self):
        return self.pick("g1", "g2", "g3", "g4", "g-5", "all", "ungrouped")

    def ini_section(self):
        kind = self.pick("", "", "", ":hosts", ":children", ":vars", ":vars")
        header = f"[{self.group()}{kind}]" + self.pick("", "", "", " # c", "#c", " ")
        if kind == ":children":
            group = lambda: self.pick("g1", "g2", "g3", "g4", "g-5")  # noqa: E731
            lines = self.some(0, 3, lambda: group() + self.pick("", "", " # c"))
        elif kind == ":vars":
            lines = self.some(0, 3, lambda: self.pick("k", "l", "a b", "t: u")
                              + self.pick("=", " = ", "= ") + self.literal())
        else:
            lines = self.some(0, 4, self.host_line)
        return [header] + lines

    def test_ini_files(self):
        for i in range(OPTIONS.cases):
            lines = self.some(0, 2, self.host_line)
            for section in self.some(1, 6, self.ini_section):
                lines += section
                if self.random.random() < 0.2:
                    lines.append(self.pick("", "# c", "; c"))
            # One broken line spoils a whole file; keep files that Ansible reads as the rule.
            text = self.pick("\n", "\n", "\r\n").join(lines) + "\n"
            path = self.write("hosts.x", text)
            with self.subTest(i):
                self.compare(f"case {i}:\n{text}", [path], [["list"], ["graph", ""]])

    def test_single_ini_lines(self):
        for i in range(OPTIONS.cases * 3):
            line = self.host_line()
            path = self.write("hosts.x", line + "\n")
            with self.subTest(line):
                self.compare(repr(line), [path], [["list"]])

    def test_literals(self):
        for i in range(OPTIONS.cases * 10):
            text = self.literal().strip()
            ours = self.answers.ask({"literal": text})
            theirs = self.literal_of(text)
            with self.subTest(text):
                self.agree(repr(text), ours, theirs)

    @staticmethod
    def literal_of(text):
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            value = text
        except Exception as error:
            return {"error": str(error)}
        try:
            if isinstance(value, bytes):
                value = value.decode()
            plain = json.loads(json.dumps(value))
            return {"text": json.dumps(plain, sort_keys=True, indent=4, ensure_ascii=False)}
        except TypeError as error:
            return {"error": str(error)}

    # YAML -----------------------------------------------------------------------------------

    def yaml_scalar(self):
        r = self.random
        letters = "0123456789" * 3 + "._-+:eExXbBoO,aAfFnNtTyY~ zZ#'\""
        return r.choice([
            lambda: self.pick("yes", "no", "on", "Off", "TRUE", "y", "n", "~", "null", "NULL", ""),
            lambda: "".join(r.choice("0123456789._-+:e") for _ in range(r.randint(1, 7))),
            lambda: "".join(r.choice(letters) for _ in range(r.randint(1, 8))),
            lambda: self.pick("0x1f", "0o17", "0b11", "0777", "1_000", "1e3", "1.5e+3", ".inf",
                              "-.INF", ".nan", "12:30", "190:20:30.5", "2024-01-31",
                              "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43.1 Z",
                              "2024-02-30", "1.2.3.4", "::1", "a: b", "[1, x]", "{a: 1}", "- x",
                              "'q'", '"\\u00e9\\n"', "'it''s'", "a # c", "a#c", "!!str 5",
                              "!!int '7'", "!!float 2", "@x", "%x", "*x", "&x y", "`x`", "|\n  t",
                              ">-\n  a\n  b", "? x", "x\n  y", "=", "<<", "{{ x }}", "\"a", "'a"),
        ])()

    def test_yaml_scalars(self):
        for i in range(OPTIONS.cases * 10):
            text = f"k: {self.yaml_scalar()}\n"
            ours = self.answers.ask({"yaml": text})
            with self.subTest(text):
                self.agree(repr(text), ours, self.yaml_of(text))

    @staticmethod
    def yaml_of(text):
        try:
            value = DataLoader().load(text, show_content=False)
            # Keys become strings first: Python cannot sort numbers among them.
            plain = json.loads(json.dumps(value, cls=AnsibleJSONEncoder))
            return {"text": json.dumps(plain, sort_keys=True, indent=4, ensure_ascii=False)}
        except Exception as error:
            return {"error": str(error)}

    def yaml_node(self, depth, indent):
        r = self.random
        pad = "  " * indent
        if depth == 0 or r.random() < 0.3:
            return " " + self.pick("1", "x", "'q: r'", '"d\\t"', "yes", "a b", "", "~", "[1, a]",
                                   "{a: 1, b: [x]}", "|\n" + pad + "  t\n" + pad + "  u",
                                   "&A 5", ">\n" + pad + "  f\n\n" + pad + "  g", "[]", "{}",
                                   "[ a ,\n" + pad + "  b ]", "1.5", "0x10", "# c") + "\n"
        if r.random() < 0.35:
            body = "".join(pad + "-" + self.yaml_node(depth - 1, indent + 1)
                           for _ in range(r.randint(1, 3)))
            return "\n" + body
        keys = r.sample(["a", "b", "c d", "'q'", "7", "yes", "k-1"], r.randint(1, 3))
        body = "".join(pad + k + ":" + self.yaml_node(depth - 1, indent + 1) for k in keys)
        return self.pick("\n", "\n", " # c\n", " &B\n") + body

    @staticmethod
    def number_anchors(text):
        """libyaml refuses an anchor that is defined twice, although YAML allows it."""
        for name in "AB":
            text = text.replace("&" + name, "&" + name.lower(), 1).replace("&" + name, "")
        return text

    def test_yaml_documents(self):
        for i in range(OPTIONS.cases * 3):
            text = self.number_anchors("top:" + self.yaml_node(3, 1))
            text += self.pick("", "end: *a\n", "m:\n  <<: *b\n")
            if self.random.random() < 0.2:  # broken on purpose
                at = self.random.randrange(len(text))
                text = text[:at] + self.pick(" ", "\n", ":", "-", "'", "[", "}", "\t", "#") + text[at:]
            ours = self.answers.ask({"yaml": text})
            with self.subTest(text):
                self.agree(text, ours, self.yaml_of(text))

    def yaml_group(self, depth):
        body = {}
        if self.random.random() < 0.7:
            body["hosts"] = {self.host(): self.pick(None, {"a": 1}, {"b": [1, None], "ansible_port": 9})
                             for _ in range(self.random.randint(1, 3))}
        if self.random.random() < 0.5:
            body["vars"] = {self.pick("k", "l", "m"): self.pick(1, "x", True, 1.5, {"d": {}}, [])}
        if self.random.random() < 0.3:
            body.setdefault("vars", {})["ansible_group_priority"] = self.random.randint(0, 9)
        if depth and self.random.random() < 0.7:
            names = ["g1", "g2", "g3", "g4", "g5", "g6"]
            body["children"] = {self.random.choice(names): self.yaml_group(depth - 1)
                                for _ in range(self.random.randint(1, 3))}
        return body or None

    def test_yaml_inventories(self):
        import yaml
        for i in range(OPTIONS.cases):
            tops = ["all", "g1", "g2", "g7", "ungrouped"]
            data = {self.random.choice(tops): self.yaml_group(3)
                    for _ in range(self.random.randint(1, 3))}
            # Ansible loses variables of `ungrouped` for hosts both in it and in a child of it.
            if data.get("ungrouped"):
                data["ungrouped"].pop("children", None)
            text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
            path = self.write(self.pick("hosts.yml", "hosts", "hosts.yaml"), text)
            if os.path.basename(path) == "hosts":
                text = text.replace("null", "")
            with self.subTest(i):
                self.compare(f"case {i}:\n{text}", [path], [["list"], ["graph", ""]])

    # Graphs and files -----------------------------------------------------------------------

    def test_precedence_in_trees_of_groups_and_files(self):
        names = ["a", "b", "c", "d", "e"]
        for i in range(max(OPTIONS.cases // 3, 20)):
            root = tempfile.mkdtemp(dir=HOME)
            sources = []
            for k in range(self.random.randint(1, 2)):
                folder = os.path.join(root, f"inv{k}")
                os.makedirs(folder)
                sources.append(os.path.join(folder, "hosts"))
                with open(sources[-1], "w") as out:
                    out.write(self.graph_text(names))
                self.vars_files(folder, names, f"inv{k}")
            play = os.path.join(root, "play")
            os.makedirs(play)
            self.vars_files(play, names, "play")
            with self.subTest(i):
                self.compare(f"case {i}: {root}", sources, [["list"], ["host", "h1"]],
                             self.pick(None, play))
                shutil.rmtree(root)

    def graph_text(self, names):
        order = self.random.sample(names, len(names))
        text = ""
        for index, name in enumerate(order):
            text += f"[{name}]\n" + "".join(
                h + self.pick("", f" v=host{h} w=1") + "\n"
                for h in self.random.sample(["h1", "h2", "h3"], self.random.randint(0, 2)))
            text += f"[{name}:vars]\nv={name}\n" + self.pick("", f"u_{name}={name}\nx={name}\n")
            text += self.pick("", "", f"ansible_group_priority={self.random.randint(0, 3)}\n")
            children = self.random.sample(order[index + 1:],
                                          self.random.randint(0, len(order) - index - 1))
            if children:
                text += f"[{name}:children]\n" + "\n".join(children) + "\n"
        return text + self.pick("", "[all:vars]\nv=all\nz=all\n") + "h1\n"[:0]

    def vars_files(self, folder, names, tag):
        for kind, entities in (("group_vars", names + ["all"]), ("host_vars", ["h1", "h2"])):
            for entity in entities:
                if self.random.random() < 0.6:
                    continue
                base = os.path.join(folder, kind, entity)
                content = f"v: {tag}_{kind}_{entity}\n" + self.pick("", f"y: {tag}_{entity}\n")
                ending = self.pick("", ".yml", ".yaml", ".json", "/", "/")
                if ending == ".json":
                    content = json.dumps({"v": f"{tag} {entity}", "f": 1e3})
                if ending == "/":
                    os.makedirs(os.path.join(base, "sub"))
                    for name in self.random.sample(["1.yml", "2", ".h.yml", "b.yml~", "c.txt",
                                                    "sub/x.yml", "d.json"], 3):
                        with open(os.path.join(base, name), "w") as out:
                            out.write('{"v": "%s"}' % (tag + entity + name))
                    continue
                os.makedirs(os.path.dirname(base), exist_ok=True)
                with open(base + ending, "w") as out:
                    out.write(content)

    # Patterns -------------------------------------------------------------------------------

    PATTERN_HOSTS = ("lone\n[web]\nweb[1:5]\n[web-b]\nwebb1\nweb2\n[db]\ndb1.x\ndb2.x\n[dc1]\nweb1\n"
                     "db1.x\n[empty]\n[site:children]\nweb\ndb\n[v6]\n::1\nfe80::1\n")

    def pattern_part(self):
        base = self.pick("web", "db", "all", "site", "dc1", "ungrouped", "web1", "web3", "lone",
                         "web*", "db*", "*", "w?b*", "web[12]", "web[!1]", "~web[12]", "~.*x$",
                         "~(web|db)", "ungr*", "db1.x", "*.x", "web-b", "empty", "::1", "d[bc]*",
                         "~^w", "~\\w+[0-3]$", "[dw]*")
        sub = self.pick("", "", "", "", "[0]", "[1]", "[-1]", "[0:1]", "[1:]", "[2-3]", "[9]",
                        "[3:99]", "[:2]", "[-2:]", "[0:0]", "[2:0]")
        return self.pick("", "", "", "!", "&") + base + sub

    def test_patterns(self):
        path = self.write("hosts", self.PATTERN_HOSTS)
        questions = []
        for i in range(OPTIONS.cases * 5):
            separator = self.pick(",", ":", ", ", ":", ",,")
            questions.append(["names", separator.join(self.some(1, 4, self.pattern_part))])
        self.compare("patterns", [path], questions)

    def test_patterns_of_the_reference(self):
        path = self.write("hosts", self.PATTERN_HOSTS)
        for pattern in ("web:!web1", "all:&dc1", "!web:all:&dc1", "&dc1", "!web", "web[0]",
                        "web[-1]", "web[1:2]", "web[1:]", "~web[12]", "web?", "site[0]", "db1.x",
                        "web1,db1.x", " web , db ", "fe80::1", "*[6]"):
            ours = self.answers.ask({"sources": [path], "ask": [["names", pattern]]})
            self.assertIn("text", ours["answers"][0], pattern)
            self.compare(pattern, [path], [["names", pattern], ["hosts", pattern]])

    def test_host_lists(self):
        for text in ("a,b", "a,", "a:22,b", "[::1]:22,", "é,ü", "a, b ,,c", "a,a,b", "::1,"):
            with self.subTest(text):
                self.compare(text, [text], [["list"], ["hosts", "all"]])


def main():
    global OPTIONS
    parser = argparse.ArgumentParser()
    parser.add_argument("answers")
    parser.add_argument("golden")
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--seed", type=int, default=20240601)
    OPTIONS, rest = parser.parse_known_args()
    OPTIONS.answers = os.path.abspath(OPTIONS.answers)
    OPTIONS.golden = os.path.abspath(OPTIONS.golden)
    try:
        unittest.main(argv=[sys.argv[0]] + rest)
    finally:
        os.chdir("/")
        shutil.rmtree(HOME, ignore_errors=True)


if __name__ == "__main__":
    main()
