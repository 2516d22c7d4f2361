"""states.py MOUNT azurite HUB | MOUNT demo: every verb meets an instance in every state.

One table says what has to happen: an errno, or the one thing that an accepted write does. Refused means:
no message in any queue, and not one row of the hub is another than before."""
import errno
import json
import os
import subprocess
import sys
import time

VERBS = ["event", "terminate", "suspend", "resume", "rewind", "restart-new", "restart-own", "start", "rmdir"]

# What an accepted one is called below; "-" is EPERM, everything else is the name of an errno.
TABLE = """
                  event   terminate suspend resume rewind restart-new restart-own start  rmdir
running           sent    sent      sent    -      -      -           -           EEXIST EBUSY
suspended         sent    sent      -       sent   -      -           -           EEXIST EBUSY
continued-as-new  sent    sent      sent    -      -      -           -           EEXIST EBUSY
waiting           sent    sent      sent    -      -      -           -           EEXIST EBUSY
scheduled         EBUSY   cancelled EBUSY   -      -      -           -           EEXIST EBUSY
started-again     EBUSY   EBUSY     EBUSY   -      -      -           -           EEXIST EBUSY
rewound           sent    sent      sent    -      sent   -           -           EEXIST EBUSY
stale             -       -         -       -      rewound started    again       EEXIST EBUSY
completed         -       -         -       -      -      started     again       EEXIST purged
failed            -       -         -       -      rewound started    again       EEXIST purged
terminated        -       -         -       -      -      started     again       EEXIST purged
canceled          -       -         -       -      -      started     again       EEXIST purged
unknown           -       -         -       -      -      -           -           EEXIST EBUSY
"""
ACCEPTED = {"sent", "cancelled", "rewound", "started", "again", "purged"}

# A state in which the file is there, to open it before the instance changes behind the mount's back.
OFFERED_IN = {"event": "running", "terminate": "running", "suspend": "running", "resume": "suspended",
              "rewind": "failed", "restart-new": "completed", "restart-own": "completed"}

MESSAGE = {"event": ("EventRaisedEvent", '{"n":1}'), "terminate": ("ExecutionTerminatedEvent", "because"),
           "suspend": ("ExecutionSuspendedEvent", "because"), "resume": ("ExecutionResumedEvent", "because"),
           "rewind": ("GenericEvent", "because")}

mount = sys.argv[1]
instances = os.path.join(mount, "instances")
checks = 0
failures = 0


def table():
    lines = [line.split() for line in TABLE.strip().splitlines()]
    assert lines[0] == VERBS
    return {line[0]: dict(zip(VERBS, ("EPERM" if w == "-" else w for w in line[1:]))) for line in lines[1:]}


def check(what, good, *more):
    global checks, failures
    checks += 1
    if not good:
        failures += 1
        print("FAILED:", what, *more, flush=True)


def path_of(verb, id):
    if verb == "start":
        return os.path.join(mount, "start", "Flow", id)
    if verb == "event":
        return os.path.join(instances, id, "events", "Approve")
    return os.path.join(instances, id, verb.split("-")[0])


def text_of(verb, id):
    if verb in ("event", "start"):
        return '{"n":1}\n'
    if verb == "restart-own":
        return id + "\n"
    return id + "-new\n" if verb == "restart-new" else "because\n"


def opened(verb, id, flags=os.O_WRONLY | os.O_CREAT | os.O_TRUNC):
    return os.open(path_of(verb, id), flags, 0o644)


def named(action, *args):
    """The errno's name, or "" when it went well."""
    try:
        action(*args)
        return ""
    except OSError as e:
        return errno.errorcode[e.errno]


def write_and_close(fd, verb, id):
    try:
        data = text_of(verb, id).encode()
        assert os.write(fd, data) == len(data)
    finally:
        os.close(fd)


def act(verb, id):
    """As a shell does it."""
    if verb == "rmdir":
        os.rmdir(os.path.join(instances, id))
    else:
        write_and_close(opened(verb, id), verb, id)


class Azurite:
    def __init__(self, hub):
        tool = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools", "states.js")
        self.tool = subprocess.Popen(["node", tool, hub], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *question):
        self.tool.stdin.write(json.dumps(question) + "\n")
        self.tool.stdin.flush()
        return json.loads(self.tool.stdout.readline())

    def pair(self, state, verb, wanted):
        id = f"{state}-{verb}"
        self.ask("put", state, id)
        before = self.ask("look", id)
        check(f"{state} {verb}: no message yet", before["messages"] == [])
        # Without O_CREAT a file that the state does not offer is not there.
        if wanted == "EPERM" and state != "stale":
            got = named(opened, verb, id, os.O_WRONLY)
            check(f"{state} {verb}: opened without O_CREAT", got == "ENOENT", got)
        self.judge(f"{state} {verb}", id, verb, wanted, named(act, verb, id), before)

    def behind_its_back(self, state, verb, wanted):
        """The state is another one since the file was opened: only a fresh reading tells."""
        id = f"late-{state}-{verb}"
        if verb == "rmdir":
            self.ask("put", "completed", id)
            os.stat(os.path.join(instances, id, "output"))
            attempt = (act, verb, id)
        elif verb == "start":
            attempt = (write_and_close, opened(verb, id), verb, id)
        else:
            self.ask("put", OFFERED_IN[verb], id)
            attempt = (write_and_close, opened(verb, id), verb, id)
        self.ask("put", state, id)
        before = self.ask("look", id)
        self.judge(f"{state} {verb} behind its back", id, verb, wanted, named(*attempt), before)

    def judge(self, what, id, verb, wanted, got, before):
        after = self.ask("look", id)
        if wanted not in ACCEPTED:
            check(what, got == wanted, f"wanted {wanted}, got {got or 'success'}")
            check(f"{what}: nothing was sent", after["messages"] == [], after["messages"])
            check(f"{what}: nothing was changed", (after["row"], after["history"], after["rows"]) ==
                  (before["row"], before["history"], before["rows"]), before, after)
            return
        check(what, got == "", f"wanted success, got {got}")
        if got == "":
            getattr(self, wanted)(what, id, verb, before, after)

    def one_message(self, what, id, type, text, after):
        m = after["messages"]
        check(f"{what}: exactly one message", len(m) == 1, m)
        if len(m) == 1:
            check(f"{what}: what it says", (m[0]["id"], m[0]["type"], m[0]["text"], m[0]["rightQueue"]) ==
                  (id, type, text, True), m)
            return m[0]
        return None

    def sent(self, what, id, verb, before, after):
        m = self.one_message(what, id, *MESSAGE[verb], after)
        if m and verb == "event":
            check(f"{what}: its name", m["name"] == "Approve", m)
        check(f"{what}: the row is as it was", after["row"] == before["row"])
        check(f"{what}: the history too", after["history"] == before["history"])

    def cancelled(self, what, id, verb, before, after):
        row = after["row"]
        check(f"{what}: no message", after["messages"] == [])
        check(f"{what}: the row", (row["RuntimeStatus"], row.get("Output")) == ("Terminated", "because") and
              "CompletedTime" in row and row["ExecutionId"] != before["row"]["ExecutionId"] and
              row["Name"] == "Flow" and row["ScheduledStartTime"] == before["row"]["ScheduledStartTime"], row)

    def rewound(self, what, id, verb, before, after):
        self.one_message(what, id, *MESSAGE["rewind"], after)
        check(f"{what}: Pending", after["row"]["RuntimeStatus"] == "Pending", after["row"])
        marks = [(e["type"], e["reason"]) for e in after["history"] if e["reason"]]
        check(f"{what}: the history's marks", sorted(marks) == [
            ("GenericEvent", "Rewound: ExecutionCompleted"), ("GenericEvent", "Rewound: TaskFailed"),
            ("GenericEvent", "Rewound: TaskScheduled")], after["history"])

    def started(self, what, id, verb, before, after):
        new = self.ask("look", id + "-new")["row"]
        m = self.one_message(what, id + "-new", "ExecutionStartedEvent", '{"a":1}', after)
        check(f"{what}: one row more", after["rows"] == before["rows"] + 1)
        check(f"{what}: the old one stays", after["row"] == before["row"] and after["history"] == before["history"])
        check(f"{what}: the new one waits", m and new and (new["RuntimeStatus"], new["ExecutionId"], new["Generation"]) ==
              ("Pending", m["executionId"], 0), new, m)
        check(f"{what}: restart reads as its id", self.last_restart(id) == id + "-new")

    def again(self, what, id, verb, before, after):
        row = after["row"]
        m = self.one_message(what, id, "ExecutionStartedEvent", '{"a":1}', after)
        check(f"{what}: the row is that of the new run", m and (row["RuntimeStatus"], row["ExecutionId"], row["Generation"]) ==
              ("Pending", m["executionId"], before["row"]["Generation"] + 1), row)
        check(f"{what}: another execution", row["ExecutionId"] != before["row"]["ExecutionId"])
        check(f"{what}: the history stays", after["history"] == before["history"])

    def last_restart(self, id):
        try:
            with open(os.path.join(instances, id, "restart")) as f:
                return f.read().strip()
        except FileNotFoundError:
            return id + "-new"  # of a stale row restart is hidden

    def purged(self, what, id, verb, before, after):
        check(f"{what}: no message", after["messages"] == [])
        check(f"{what}: row and history are gone", after["row"] is None and after["history"] == [] and
              after["rows"] == before["rows"] - 1, after)

    def restart_reads(self):
        """As the id that its last write started; one that was refused started nothing."""
        id = "read-back"
        path = path_of("restart-new", id)
        self.ask("put", "completed", id)

        def write(text):
            fd = os.open(path, os.O_WRONLY)
            try:
                os.write(fd, text.encode())
            finally:
                os.close(fd)

        def reads(what, wanted):
            with open(path) as f:
                got = f.read()
                check(f"restart reads {what}", got == wanted, repr(got))
                check(f"restart reads {what}: its size", os.fstat(f.fileno()).st_size == len(got))
            check(f"restart reads {what}: stat", os.stat(path).st_size == len(wanted))

        reads("empty at first", "")
        check("restart", named(write, "copy-1\n") == "")
        reads("the id", "copy-1\n")
        for refused, why in (("copy-1\n", "EEXIST"), ("@copy\n", "EINVAL"), ("a/b\n", "EINVAL")):
            got = named(write, refused)
            check(f"restart refuses {refused.strip()}", got == why, got)
            reads(f"the same after {why}", "copy-1\n")
        check("restart with an id of its choice", named(write, "\n") == "")
        with open(path) as f:
            chosen = f.read()
        check("restart reads the id it chose", len(chosen) == 33 and chosen != "copy-1\n", chosen)
        check("which is there", (self.ask("look", chosen.strip())["row"] or {}).get("RuntimeStatus") == "Pending")
        reads("again", chosen)

    def run(self):
        for state, verbs in table().items():
            for verb, wanted in verbs.items():
                self.pair(state, verb, wanted)
                self.behind_its_back(state, verb, wanted)
        self.restart_reads()
        check("the tool knows the same states", self.ask("states") == list(table()))


class Demo:
    """The states that the demo's app rests in; what the writes do is seen in the tree."""

    def __init__(self):
        # All at once at the beginning, as each takes its seconds to come to rest.
        self.ready = {flow: [self.start(flow, f"{flow}-{n}") for n in range(24)] for flow in ("ApprovalFlow", "FailingFlow")}

    def read(self, id, file):
        with open(os.path.join(instances, id, file)) as f:
            return f.read()

    def status(self, id):
        return dict(line.split(":\t") for line in self.read(id, "status").splitlines())["RuntimeStatus"]

    def wait_for(self, id, status):
        assert self.until(lambda: self.status(id) == status), (id, status, self.status(id))
        return id

    @staticmethod
    def until(condition):
        end = time.monotonic() + 20
        while not condition() and time.monotonic() < end:
            time.sleep(0.02)
        return condition()

    @staticmethod
    def start(flow, id):
        with open(os.path.join(mount, "start", flow, id), "w") as f:
            f.write('{"a":1}\n')
        return id

    def make(self, state):
        if state == "scheduled":
            return "later-1"
        if state == "failed":
            return self.wait_for(self.ready["FailingFlow"].pop(), "Failed")
        id = self.wait_for(self.ready["ApprovalFlow"].pop(), "Running")
        self.until(lambda: "waitingFor" in self.read(id, "custom-status"))
        then = {"suspended": "suspend", "completed": "event", "terminated": "terminate"}.get(state)
        if then:
            act(then, id)
            self.wait_for(id, state.capitalize())
        return id

    def refused(self, what, id, verb, wanted):
        before = (self.status(id), self.read(id, "history"), len(os.listdir(instances)))
        got = named(act, verb, id)
        check(what, got == wanted, f"wanted {wanted}, got {got or 'success'}")
        time.sleep(0.3)
        after = (self.status(id), self.read(id, "history"), len(os.listdir(instances)))
        check(f"{what}: nothing was changed", before == after, before, after)

    def outcome(self, id, verb, wanted):
        """What is to be seen after an accepted write, as (what, condition)."""
        if wanted == "purged":
            return "gone", lambda: not os.path.exists(os.path.join(instances, id))
        if wanted == "started":
            return "a new one", lambda: self.status(id + "-new") in ("Pending", "Running") and \
                self.read(id + "-new", "input") == self.read(id, "input") and \
                self.read(id, "restart").strip() == id + "-new"
        if wanted == "again":
            return "begins again", lambda: self.status(id) in ("Pending", "Running")
        if wanted == "rewound":
            return "runs again", lambda: self.status(id) in ("Pending", "Running", "Completed")
        if verb == "event":
            return "the event", lambda: '\tEventRaised\tApprove\t\t{"n":1}' in self.read(id, "history")
        status = {"terminate": "Terminated", "suspend": "Suspended", "resume": "Running"}[verb]
        return status, lambda: self.status(id) == status

    def pair(self, state, verb, wanted, id):
        what = f"demo: {state} {verb}"
        if wanted not in ACCEPTED:
            self.refused(what, id, verb, wanted)
            return
        check(what, named(act, verb, id) == "")
        name, condition = self.outcome(id, verb, wanted)
        check(f"{what}: {name}", self.until(condition))

    def run(self):
        for state in ("running", "suspended", "scheduled", "completed", "failed", "terminated"):
            verbs = table()[state]
            kept = self.make(state)
            for verb in [v for v in VERBS if verbs[v] not in ACCEPTED]:
                self.pair(state, verb, verbs[verb], kept)
            for verb in [v for v in VERBS if verbs[v] in ACCEPTED]:
                self.pair(state, verb, verbs[verb], self.make(state))


(Azurite(sys.argv[3]) if sys.argv[2] == "azurite" else Demo()).run()
print(checks, "checks,", failures, "failed")
sys.exit(failures > 0)
