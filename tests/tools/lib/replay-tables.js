// The table service as Azure speaks it, over ReplayTables: opaque tokens, short pages, refusals.
import { randomInt, randomUUID } from "node:crypto";
import { BadFilter, parseFilter } from "./replay-filter.js";
import { random } from "./replay-faults.js";

const JSON_TYPE = "application/json;odata=nometadata;streaming=true;charset=utf-8";
const HEAD = Buffer.from('{"value":[');
const TAIL = Buffer.from("]}");
const SKEW_MS = 15 * 60 * 1000;

export class Refusal extends Error {
  constructor(status, code, message = code) {
    super(message);
    Object.assign(this, { status, code });
  }
  answer() {
    const value = `${this.message}\nRequestId:${randomUUID()}\nTime:${new Date().toISOString()}`;
    const body = { "odata.error": { code: this.code, message: { lang: "en-US", value } } };
    return {
      status: this.status,
      headers: { "Content-Type": JSON_TYPE, "x-ms-error-code": this.code },
      pieces: [Buffer.from(JSON.stringify(body))],
    };
  }
}

export function authenticate(req, url) {
  if (url.searchParams.has("sig")) return;
  if (!/^SharedKey(Lite)? /.test(req.headers.authorization ?? "") && !/^Bearer /.test(req.headers.authorization ?? ""))
    throw new Refusal(403, "AuthenticationFailed", "Server failed to authenticate the request.");
  const date = Date.parse(req.headers["x-ms-date"] ?? req.headers.date ?? "");
  if (!(Math.abs(Date.now() - date) < SKEW_MS))
    throw new Refusal(403, "AuthenticationFailed", "The date header is too old or absent.");
}

// 'it''s' -> it's; null if it is no literal.
const unquote = (s) => (/^'([^']|'')*'$/.test(s) ? s.slice(1, -1).replaceAll("''", "'") : null);
const etagOf = (row) => `W/"datetime'${encodeURIComponent(row.Timestamp)}'"`;

function rowKeyOf(text) {
  const m = /^PartitionKey=('(?:[^']|'')*'),RowKey=('(?:[^']|'')*')$/.exec(text);
  if (!m) throw new Refusal(400, "InvalidInput");
  return { PartitionKey: unquote(m[1]), RowKey: unquote(m[2]) };
}

export class ReplayTables {
  // tables: Map of lower-case name -> ReplayTable; shortPages: how likely a page is short or empty.
  constructor(tables, { shortPages = 0, seed = 1, loose = false } = {}) {
    Object.assign(this, { tables, shortPages, loose, random: random(seed), issued: 0, last: null });
    this.secret = randomInt(2 ** 32);
  }

  // Which $select of which table are to be text already.
  prepare(name, select) {
    this.table(name).prepare(select);
  }

  table(name) {
    const table = this.tables.get(name.toLowerCase());
    if (!table) throw new Refusal(404, "TableNotFound", "The table specified does not exist.");
    return table;
  }

  // -- tokens: what is needed and a check, in characters that must be encoded in a URL --

  check(text) {
    let h = this.secret;
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
    return (h >>> 0).toString(36).padStart(8, "/");
  }

  // Half of them come without the header for the row.
  issue(next) {
    const text = Buffer.from(JSON.stringify([next.PartitionKey, next.RowKey, this.issued++])).toString("base64");
    const headers = { "x-ms-continuation-NextPartitionKey": `1!${text.length}!${text}!+/=${this.check(text)}` };
    if (this.issued % 2) headers["x-ms-continuation-NextRowKey"] = `1!0!+${this.check(`${text}row`)}`;
    return headers;
  }

  redeem(params) {
    const partition = params.get("NextPartitionKey");
    if (partition === null) return null;
    const m = /^1!\d+!([A-Za-z0-9+/=]*)!\+\/=(.{8})$/.exec(partition);
    if (!m || m[2] !== this.check(m[1])) throw new Refusal(400, "InvalidInput", "NextPartitionKey was not issued here.");
    const [PartitionKey, RowKey, n] = JSON.parse(Buffer.from(m[1], "base64"));
    const row = params.get("NextRowKey");
    if (n % 2 === 0 ? row !== `1!0!+${this.check(`${m[1]}row`)}` : row)
      throw new Refusal(400, "InvalidInput", "NextRowKey was not issued here.");
    return { PartitionKey, RowKey };
  }

  // -- requests --

  query(name, params, twist) {
    const table = this.table(name);
    const top = Number(params.get("$top") ?? 1000);
    if (!(Number.isInteger(top) && top > 0) || (top > 1000 && !this.loose))
      throw new Refusal(400, "InvalidInput", "$top must be 1 to 1000.");
    const filter = params.get("$filter");
    let tree = null;
    try {
      tree = filter ? parseFilter(filter) : null;
    } catch (e) {
      if (!(e instanceof BadFilter)) throw e;
      throw new Refusal(400, "InvalidInput", `Syntax error in the filter: ${e.message}`);
    }
    const start = this.redeem(params);
    const page = table.page({ tree, select: params.get("$select"), start, top: this.size(Math.min(top, 1000), twist) });
    return this.pageAnswer(page, start, twist, table);
  }

  size(top, twist) {
    if (twist?.action === "emptyPage") return 0;
    if (twist?.action === "shortPage") return Math.min(top, twist.rows ?? 1);
    if (!this.shortPages || this.random() >= this.shortPages) return top;
    return Math.floor(this.random() ** 2 * top);
  }

  pageAnswer(page, start, twist, table) {
    const headers = { "Content-Type": JSON_TYPE };
    let { pieces } = page;
    if (twist?.action === "samePage" && this.last) pieces = this.last;
    if (twist?.action === "reorder" && page.rows > 1)
      pieces = [Buffer.from(JSON.stringify(JSON.parse(`[${Buffer.concat(pieces)}]`).reverse()).slice(1, -1))];
    this.last = pieces;
    if (twist?.action === "selfToken" && (start ?? page.next)) {
      // The same token for ever, and the rows behind it.
      this.self ??= this.issue(start ?? page.next);
      Object.assign(headers, this.self);
    } else if (page.next) Object.assign(headers, this.issue(page.next));
    return { status: 200, headers, pieces: [HEAD, ...pieces, TAIL], rows: page.rows, table };
  }

  listTables(params) {
    const names = [...this.tables.values()].map((t) => t.name).sort();
    const filter = params.get("$filter");
    const wanted = filter ? names.filter((n) => matchesName(filter, n)) : names;
    return json(200, { value: wanted.map((TableName) => ({ TableName })) });
  }

  point(name, key, params) {
    const row = this.table(name).find(key);
    if (!row) throw new Refusal(404, "ResourceNotFound", "The specified resource does not exist.");
    const text = this.table(name).selected(row, params.get("$select"));
    return { status: 200, headers: { "Content-Type": JSON_TYPE, ETag: etagOf(row) }, pieces: [Buffer.from(text)] };
  }

  matched(name, key, etag) {
    const row = this.table(name).find(key);
    if (!row) throw new Refusal(404, "ResourceNotFound", "The specified resource does not exist.");
    if (etag === undefined) throw new Refusal(400, "MissingRequiredHeader", "If-Match is missing.");
    if (etag !== "*" && etag !== etagOf(row))
      throw new Refusal(412, "UpdateConditionNotSatisfied", "The update condition was not satisfied.");
    return row;
  }

  remove(name, key, etag) {
    this.matched(name, key, etag);
    this.table(name).remove(key);
    return { status: 204, headers: {}, pieces: [] };
  }

  write(method, name, key, etag, body) {
    const table = this.table(name);
    const old = table.find(key);
    if (etag !== undefined) this.matched(name, key, etag);
    const stamp = `${new Date().toISOString().slice(0, 23)}0000Z`;
    const row = { ...(method === "PUT" ? {} : old), ...JSON.parse(body), ...key, Timestamp: stamp };
    for (const name of Object.keys(row)) if (name.includes("@")) delete row[name];
    table.put(row);
    return { status: 204, headers: { ETag: etagOf(row) }, pieces: [] };
  }

  insert(name, body) {
    const { PartitionKey, RowKey } = JSON.parse(body);
    if (this.table(name).find({ PartitionKey, RowKey })) throw new Refusal(409, "EntityAlreadyExists");
    return this.write("PUT", name, { PartitionKey, RowKey }, undefined, body);
  }

  // Deletes of one partition, all or none.
  batch(body) {
    const found = [...body.matchAll(/\r?\n(\w+) https?:\/\/[^/]+(\/\S+) HTTP\/1\.1\r?\n([\s\S]*?)\r?\n\r?\n/g)];
    const operations = found.map(([, method, path, headers]) => {
      const m = /^\/[^/]+\/(\w+)\((.*)\)$/.exec(decodeURIComponent(path));
      if (!m || method !== "DELETE") throw new Refusal(501, "NotImplemented", `in a batch: ${method} ${path}`);
      return { name: m[1], key: rowKeyOf(m[2]), etag: /^If-Match: (.*)$/im.exec(headers)?.[1].trim() };
    });
    const parts = [];
    try {
      if (operations.length === 0 || operations.length > 100) throw new Refusal(400, "InvalidInput");
      const partitions = new Set(operations.map((o) => o.key.PartitionKey));
      if (partitions.size > 1) throw new Refusal(400, "CommandsInBatchActOnDifferentPartitions");
      for (const o of operations) this.matched(o.name, o.key, o.etag);
      for (const o of operations) this.table(o.name).remove(o.key);
      for (let i = 0; i < operations.length; i++) parts.push("HTTP/1.1 204 No Content\r\nDataServiceVersion: 1.0;\r\n\r\n");
    } catch (e) {
      if (!(e instanceof Refusal)) throw e;
      parts.push(`HTTP/1.1 ${e.status} ${e.code}\r\nContent-ID: 1\r\nContent-Type: application/json\r\n\r\n${e.answer().pieces[0]}\r\n`);
    }
    const text = `--batchresponse_1\r\nContent-Type: multipart/mixed; boundary=changesetresponse_1\r\n\r\n${parts
      .map((p) => `--changesetresponse_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n${p}`)
      .join("")}\r\n--changesetresponse_1--\r\n--batchresponse_1--\r\n`;
    return { status: 202, headers: { "Content-Type": "multipart/mixed; boundary=batchresponse_1" }, pieces: [Buffer.from(text)] };
  }

  answer(req, url, body, twist) {
    authenticate(req, url);
    const path = decodeURIComponent(url.pathname).replace(/^\/[^/]+/, "");
    const etag = req.headers["if-match"];
    const method = req.headers["x-http-method"] ?? req.method;
    const m = /^\/(\w+)(?:\((.*)\))?$/.exec(path);
    if (path === "/$batch" && method === "POST") return this.batch(body);
    if (!m) throw new Refusal(400, "InvalidUri");
    const [, name, inside] = m;
    if (name === "Tables" && method === "GET") return this.listTables(url.searchParams);
    if (method === "GET" && !inside) return this.query(name, url.searchParams, twist);
    if (method === "GET") return this.point(name, rowKeyOf(inside), url.searchParams);
    if (method === "DELETE" && inside) return this.remove(name, rowKeyOf(inside), etag);
    if (method === "POST" && !inside) return this.insert(name, body);
    if (inside && ["PUT", "MERGE", "PATCH"].includes(method)) return this.write(method, name, rowKeyOf(inside), etag, body);
    throw new Refusal(501, "NotImplemented", `${method} ${path}`);
  }
}

function matchesName(filter, name) {
  const m = /^TableName ge '(\w+)' and TableName lt '(\w+)'$/.exec(filter);
  if (!m) throw new Refusal(501, "NotImplemented", `a filter of tables: ${filter}`);
  return name >= m[1] && name < m[2];
}

function json(status, value) {
  return { status, headers: { "Content-Type": JSON_TYPE }, pieces: [Buffer.from(JSON.stringify(value))] };
}
