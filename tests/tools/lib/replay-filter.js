// $filter as our clients and the SDK send it: comparisons of columns with literals, and, or, not,
// brackets. What the real service refuses is refused: operators in capitals, more than 15 comparisons,
// bad literals. parseFilter(text) -> tree; intervalsOf(tree, table) -> which keys can match at all;
// matches(tree, value) -> does a row match.

const COMPARISONS_MAX = 15;
const OPERATORS = new Set(["eq", "ne", "gt", "ge", "lt", "le"]);
const TOKEN = /\s*(?:(\(|\))|(datetime|guid)?'((?:[^']|'')*)'|(-?\d+(?:\.\d+)?)(L?)|([A-Za-z_][A-Za-z0-9_]*))/y;

export class BadFilter extends Error {}

function tokens(text) {
  const list = [];
  TOKEN.lastIndex = 0;
  while (text.slice(TOKEN.lastIndex).trim() !== "") {
    const m = TOKEN.exec(text);
    if (!m) throw new BadFilter("a character that belongs to nothing");
    if (m[1]) list.push({ kind: m[1] });
    else if (m[3] !== undefined) list.push(literal(m[2], m[3].replaceAll("''", "'")));
    else if (m[4]) list.push({ kind: "literal", value: Number(m[4]) });
    else if (m[6] === "true" || m[6] === "false") list.push({ kind: "literal", value: m[6] === "true" });
    else list.push({ kind: "word", word: m[6] });
  }
  return list;
}

function literal(type, text) {
  if (type !== "datetime") return { kind: "literal", value: text };
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,7})?Z$/.test(text)) throw new BadFilter("a bad datetime");
  return { kind: "literal", value: text, time: Date.parse(`${text.slice(0, 23).replace(/Z?$/, "")}Z`) };
}

class Parser {
  constructor(text) {
    this.list = tokens(text);
    this.at = 0;
    this.comparisons = 0;
  }
  word(w) {
    const t = this.list[this.at];
    if (t?.kind !== "word" || t.word !== w) return false;
    this.at++;
    return true;
  }
  next(kind) {
    const t = this.list[this.at++];
    if (t?.kind !== kind) throw new BadFilter(`${kind} expected`);
    return t;
  }
  chain(op, part) {
    let left = part();
    while (this.word(op)) left = { op, left, right: part() };
    return left;
  }
  any() {
    return this.chain("or", () => this.chain("and", () => this.term()));
  }
  term() {
    if (this.word("not")) return { op: "not", left: this.term() };
    if (this.list[this.at]?.kind === "(") {
      this.at++;
      const inner = this.any();
      this.next(")");
      return inner;
    }
    const column = this.next("word").word;
    const { word: op } = this.next("word");
    if (!OPERATORS.has(op)) throw new BadFilter(`no such operator: ${op}`);
    this.comparisons++;
    return { op, column, ...this.next("literal"), kind: "comparison" };
  }
}

export function parseFilter(text) {
  const p = new Parser(text);
  const tree = p.any();
  if (p.at !== p.list.length) throw new BadFilter("words behind the end");
  if (p.comparisons > COMPARISONS_MAX) throw new BadFilter("more than 15 comparisons");
  return tree;
}

function compare(op, a, b) {
  if (op === "eq") return a === b;
  if (op === "ne") return a !== b;
  if (op === "lt") return a < b;
  if (op === "le") return a <= b;
  return op === "gt" ? a > b : a >= b;
}

// value(column) -> the row's value; a row without the column matches no comparison.
export function matches(tree, value) {
  if (tree.op === "and") return matches(tree.left, value) && matches(tree.right, value);
  if (tree.op === "or") return matches(tree.left, value) || matches(tree.right, value);
  if (tree.op === "not") return !matches(tree.left, value);
  const v = value(tree.column, tree.time !== undefined);
  if (v === undefined || v === null) return false;
  return compare(tree.op, v, tree.time ?? tree.value);
}

const WHOLE = [[0, Infinity]];

function intersect(a, b) {
  const both = [];
  for (const [from, to] of a)
    for (const [low, high] of b)
      if (Math.max(from, low) < Math.min(to, high)) both.push([Math.max(from, low), Math.min(to, high)]);
  return both;
}

function union(a, b) {
  const all = [...a, ...b].sort((x, y) => x[0] - y[0]);
  const merged = [];
  for (const [from, to] of all) {
    const last = merged.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

function complement(a) {
  const rest = [];
  let at = 0;
  for (const [from, to] of a) {
    if (from > at) rest.push([at, from]);
    at = to;
  }
  if (at < Infinity) rest.push([at, Infinity]);
  return rest;
}

// { list: intervals of row numbers that hold every match, exact: all in them match }.
export function intervalsOf(tree, table) {
  if (tree.op === "and" || tree.op === "or") {
    const [a, b] = [intervalsOf(tree.left, table), intervalsOf(tree.right, table)];
    const list = tree.op === "and" ? intersect(a.list, b.list) : union(a.list, b.list);
    return { list, exact: a.exact && b.exact };
  }
  if (tree.op === "not") {
    const a = intervalsOf(tree.left, table);
    return a.exact ? { list: complement(a.list), exact: true } : { list: WHOLE, exact: false };
  }
  if (tree.column === "Timestamp" && tree.time && (tree.op === "ge" || tree.op === "gt"))
    return { list: [[table.firstSince(tree.time), Infinity]], exact: false };
  if (tree.column !== "PartitionKey") return { list: WHOLE, exact: false };
  const [low, high] = [table.first(tree.value, true), table.first(tree.value, false)];
  const list = {
    eq: [[low, high]], ne: [[0, low], [high, Infinity]], lt: [[0, low]], le: [[0, high]],
    gt: [[high, Infinity]], ge: [[low, Infinity]],
  }[tree.op].filter(([from, to]) => from < to);
  return { list, exact: true };
}
