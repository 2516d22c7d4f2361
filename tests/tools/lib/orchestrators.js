// The app that the test worker plays. An orchestrator is a generator: it yields tasks and is replayed
// from the history at every turn, as the genuine engine does.

export const orchestrators = {
  *Echo(ctx) {
    return ctx.input;
  },
  // Waits for the event that its input names (default Approve) and returns its data.
  *WaitFor(ctx) {
    const name = typeof ctx.input === "string" ? ctx.input : (ctx.input?.event ?? "Approve");
    ctx.status = { waitingFor: name };
    const data = yield ctx.event(name);
    ctx.status = { got: name };
    return data;
  },
  *Sequence(ctx) {
    const out = [];
    for (const city of ["Tokyo", "Seattle", "London"]) out.push(yield ctx.activity("Hello", city));
    return out;
  },
  *Fan(ctx) {
    const tasks = [1, 2, 3, 4, 5].map((n) => ctx.activity("Double", n));
    const out = [];
    for (const t of tasks) out.push(yield t);
    return out;
  },
  // Fails the first time that its activity runs in this worker, succeeds after a rewind.
  *Flaky(ctx) {
    return yield ctx.activity("Flaky", ctx.id);
  },
  *Fail(ctx) {
    yield ctx.activity("Throw", ctx.input);
  },
  *Sleep(ctx) {
    yield ctx.timer(Number(ctx.input?.seconds ?? 1));
    return "slept";
  },
  *Parent(ctx) {
    return yield ctx.child("Echo", ctx.input, ctx.input?.child);
  },
  *FlakyParent(ctx) {
    return yield ctx.child("Flaky", null, `${ctx.id}:flaky`);
  },
  // Runs until it is terminated; each event makes a new generation.
  *Eternal(ctx) {
    yield ctx.event("Next");
    return ctx.continueAsNew((ctx.input ?? 0) + 1);
  },
  *BigOutput(ctx) {
    return "x".repeat(Number(ctx.input ?? 70000));
  },
};

const failedOnce = new Set();

export const activities = {
  Hello: (city) => `Hello ${city}!`,
  Double: (n) => n * 2,
  Flaky: (id) => {
    if (!failedOnce.has(id)) {
      failedOnce.add(id);
      throw new Error("first attempt always fails");
    }
    return "recovered";
  },
  Throw: (text) => {
    throw new Error(`ERR-17: ${text ?? "boom"}`);
  },
};

// Entity operations: (state, input) -> new state, undefined = deleted.
export const entities = {
  counter: {
    add: (state, n) => (state ?? 0) + Number(n ?? 1),
    reset: () => 0,
    get: (state) => state,
    delete: () => undefined,
  },
};
