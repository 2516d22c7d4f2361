// Rules that spoil answers: [{ match: { method, path, nth, every, probability, seed, times },
// when: "before" | "after", do: { action, ... } }], the first that matches wins. path is a regular
// expression over the decoded URL; nth and every count what matched so far. "before": the request is
// not carried out; "after" (the default): it is, only the answer suffers.
//
//   delay {ms} or {median, sigma}   stall   status {code, error, retryAfter | retryAfterDate}
//   reset {at: first | headers | body}   truncate {how: length | chunked}   drip {bytesPerSecond}
//   json {how: string | escape | type | duplicate | surrogate | nul | big}   html   contentType {value}
//   refuse {code} (no body)   emptyPage   shortPage {rows}   samePage   selfToken   reorder
import { setTimeout as sleep } from "node:timers/promises";

const HTML = Buffer.from("<!DOCTYPE html><html><body><h1>Please log in</h1></body></html>");

export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Rule {
  constructor(rule) {
    Object.assign(this, { match: {}, when: "after", ...rule });
    this.path = new RegExp(this.match.path ?? "");
    this.random = random(this.match.seed ?? 1);
    this.seen = this.used = 0;
  }
  applies(method, url) {
    const m = this.match;
    if ((m.method && m.method !== method) || !this.path.test(url)) return false;
    this.seen++;
    if (m.times !== undefined && this.used >= m.times) return false;
    if (m.nth !== undefined && this.seen !== m.nth) return false;
    if (m.every !== undefined && this.seen % m.every !== 0) return false;
    if (m.probability !== undefined && this.random() >= m.probability) return false;
    this.used++;
    return true;
  }
}

export class Rules {
  constructor() {
    this.set([]);
  }
  set(list) {
    this.list = list.map((rule) => new Rule(rule));
  }
  pick(method, url) {
    if (!this.list.length) return null;
    return this.list.find((rule) => rule.applies(method, url)) ?? null;
  }
}

function delayOf(act) {
  if (act.median === undefined) return act.ms ?? 20;
  const normal = Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  return act.median * Math.exp((act.sigma ?? 0.5) * normal);
}

const cut = (pieces, change) => [change(Buffer.concat(pieces).toString())].map((s) => Buffer.from(s));

const BAD_JSON = {
  string: (s) => s.slice(0, Math.max(1, s.lastIndexOf('"') - 1)),
  escape: (s) => `${s.slice(0, Math.max(0, s.lastIndexOf('"') - 1))}\\u12`,
  type: () => '{"value":"rows"}',
  duplicate: (s) => s.replace('{"PartitionKey":', '{"PartitionKey":7,"PartitionKey":'),
  surrogate: (s) => s.replace(/("Name":")/, "$1\\ud800"),
  nul: (s) => s.replace(/"PartitionKey":"/, '"PartitionKey":"\0'),
  big: (s) => s.replace(/("Name":")/, `$1${"n".repeat(10 << 20)}`),
};

function statusAnswer(act) {
  const headers = { "Content-Type": "application/json" };
  const code = act.error ?? { 503: "ServerBusy", 500: "OperationTimedOut", 429: "TooManyRequests" }[act.code];
  if (act.retryAfter !== undefined) headers["Retry-After"] = String(act.retryAfter);
  if (act.retryAfterDate !== undefined)
    headers["Retry-After"] = new Date(Date.now() + 1000 * act.retryAfterDate).toUTCString();
  if (code) headers["x-ms-error-code"] = code;
  const body = JSON.stringify({ "odata.error": { code, message: { lang: "en-US", value: "as told" } } });
  return { status: act.code, headers, pieces: [Buffer.from(body)] };
}

// What becomes of an answer before it is sent; answer is null when nothing was carried out.
export async function spoil(rule, answer) {
  const act = rule.do;
  switch (act.action) {
    case "delay":
      await sleep(delayOf(act));
      return answer;
    case "status":
      return statusAnswer(act);
    case "refuse":
      return { status: act.code, headers: {}, pieces: [] };
    case "html":
      return { status: 200, headers: { "Content-Type": "text/html" }, pieces: [HTML], foreign: true };
    case "contentType":
      return { ...answer, headers: { ...answer.headers, "Content-Type": act.value } };
    case "json":
      return { ...answer, pieces: cut(answer.pieces, BAD_JSON[act.how ?? "string"]) };
    default:
      return answer;
  }
}

// Actions on the connection itself. True: nothing more is to be sent.
export async function breakOff(rule, socket, head, body) {
  const act = rule?.do ?? {};
  const half = body.subarray(0, body.length >>> 1);
  switch (act.action) {
    case "stall":
      return true;
    case "reset":
      if (act.at === "headers") socket.write(head.slice(0, head.length >>> 1));
      if (act.at === "body") socket.write(Buffer.concat([Buffer.from(head), half]));
      if (act.at === "headers" || act.at === "body") await sleep(5);
      socket.resetAndDestroy();
      return true;
    case "truncate":
      if (act.how === "chunked")
        socket.end(Buffer.concat([
          Buffer.from(head.replace(/Content-Length: \d+/, "Transfer-Encoding: chunked")),
          Buffer.from(`${half.length.toString(16)}\r\n`), half, Buffer.from("\r\n"),
        ]));
      else socket.end(Buffer.concat([Buffer.from(head), half]));
      return true;
    case "drip": {
      const perSecond = act.bytesPerSecond ?? 1024;
      socket.write(head);
      for (let at = 0; at < body.length && !socket.destroyed; at += perSecond) {
        socket.write(body.subarray(at, at + perSecond));
        await sleep(1000);
      }
      return true;
    }
    default:
      return false;
  }
}
