// One table of a made-up hub: pages are slices of prebuilt text, so that serving costs next to nothing.
// Rows have numbers in key order. What was changed, added or deleted while it runs lies in an overlay.
// A slab is the text of CHUNK rows for one $select, each row followed by a comma.
import { intervalsOf, matches } from "./replay-filter.js";

const CHUNK = 8192;
const ROW_ROOM = 4096;

function lowerBound(n, isBelow) {
  let low = 0, high = n;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBelow(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

const compareKeys = (a, b) =>
  a.PartitionKey < b.PartitionKey ? -1 : a.PartitionKey > b.PartitionKey ? 1
    : a.RowKey < b.RowKey ? -1 : a.RowKey > b.RowKey ? 1 : 0;

export class ReplayTable {
  // partitions, perPartition: how many rows; partitionKey(p), rowKey(k), row(p, k, columns);
  // value(p, k, column): of a column, cheaply, or undefined; firstSince(ms): first partition that can
  // have a Timestamp from then on; nulls: columns that a row lacks are null when selected.
  constructor(source) {
    Object.assign(this, source);
    this.count = this.partitions * this.perPartition;
    this.slabs = new Map();
    this.overlay = []; // rows, in key order
    this.replaced = []; // numbers of rows that the overlay replaces or that are gone, ascending
  }

  rowAt(number, columns) {
    return this.row(Math.floor(number / this.perPartition), number % this.perPartition, columns);
  }

  // First row of a partition with that key or above; orEqual false: above.
  first(key, orEqual) {
    const p = lowerBound(this.partitions, (i) =>
      orEqual ? this.partitionKey(i) < key : this.partitionKey(i) <= key);
    return p * this.perPartition;
  }

  firstAt({ PartitionKey, RowKey }) {
    const from = this.first(PartitionKey, true);
    const to = this.first(PartitionKey, false);
    return from + lowerBound(to - from, (k) => this.rowKey(k) < RowKey);
  }

  // -- text --

  selected(row, select) {
    if (!select) return JSON.stringify(row);
    const part = {};
    for (const column of select.split(",")) {
      if (column in row) part[column] = row[column];
      else if (this.nulls) part[column] = null;
    }
    return JSON.stringify(part);
  }

  slab(select, index) {
    const key = select ?? "";
    if (!this.slabs.has(key)) this.slabs.set(key, []);
    const list = this.slabs.get(key);
    return (list[index] ??= this.buildSlab(select, index));
  }

  buildSlab(select, index) {
    const from = index * CHUNK;
    const n = Math.min(CHUNK, this.count - from);
    const offsets = new Uint32Array(n + 1);
    const columns = select ? new Set(select.split(",")) : null;
    let text = Buffer.allocUnsafe(n * 700 + ROW_ROOM);
    let at = 0;
    for (let i = 0; i < n; i++) {
      const row = `${this.selected(this.rowAt(from + i, columns), select)},`;
      if (at + row.length * 3 > text.length) text = Buffer.concat([text, Buffer.alloc(text.length)]);
      offsets[i] = at;
      at += text.write(row, at);
    }
    offsets[n] = at;
    return { text: Buffer.from(text.subarray(0, at)), offsets };
  }

  prepare(select) {
    for (let i = 0; i * CHUNK < this.count; i++) this.slab(select, i);
  }

  // Text of rows from..to-1, each with its comma.
  slices(from, to, select, out) {
    while (from < to) {
      const index = Math.floor(from / CHUNK);
      const { text, offsets } = this.slab(select, index);
      const end = Math.min(to, (index + 1) * CHUNK);
      out.push(text.subarray(offsets[from - index * CHUNK], offsets[end - index * CHUNK]));
      from = end;
    }
  }

  // -- pages --

  // { pieces, rows, next: null | { PartitionKey, RowKey } }
  page({ tree, select, start, top }) {
    const page = { pieces: [], rows: 0, top, select, tree };
    const from = start ? this.firstAt(start) : 0;
    const found = tree ? intervalsOf(tree, this) : { list: [[0, Infinity]], exact: true };
    page.exact = found.exact;
    page.added = this.addedFrom(tree, start);
    for (const [low, high] of found.list) {
      const next = this.takeInterval(page, Math.max(low, from), Math.min(high, this.count));
      if (next !== null) return this.endPage(page, next);
    }
    return this.endPage(page, this.takeAdded(page, this.count) ? null : this.count);
  }

  addedFrom(tree, start) {
    const value = (row) => (column, asTime) =>
      asTime && row[column] ? Date.parse(row[column].slice(0, 23).replace(/Z?$/, "Z")) : row[column];
    return this.overlay
      .filter((row) => (!start || compareKeys(row, start) >= 0) && (!tree || matches(tree, value(row))))
      .map((row) => ({ row, before: this.firstAt(row) }));
  }

  // Rows of the overlay that come before a number. False: the page is full.
  takeAdded(page, number) {
    while (page.added.length && page.added[0].before <= number) {
      if (page.rows === page.top) return false;
      page.pieces.push(Buffer.from(`${this.selected(page.added.shift().row, page.select)},`));
      page.rows++;
    }
    return true;
  }

  // null: all taken; else the page is full and the number is where the next one begins.
  takeInterval(page, from, to) {
    let gone = lowerBound(this.replaced.length, (i) => this.replaced[i] < from);
    while (from < to) {
      if (!this.takeAdded(page, from)) return from;
      if (this.replaced[gone] === from) {
        gone++;
        from++;
        continue;
      }
      if (page.rows === page.top) return from;
      const end = Math.min(to, this.replaced[gone] ?? to, page.added[0]?.before ?? to);
      from = page.exact ? this.takeRun(page, from, end) : this.takeMatches(page, from, end);
    }
    return null;
  }

  takeRun(page, from, end) {
    const n = Math.min(end - from, page.top - page.rows);
    this.slices(from, from + n, page.select, page.pieces);
    page.rows += n;
    return from + n;
  }

  takeMatches(page, from, end) {
    for (; from < end && page.rows < page.top; from++) {
      const p = Math.floor(from / this.perPartition);
      const k = from % this.perPartition;
      if (!matches(page.tree, (column, asTime) => this.value(p, k, column, asTime))) continue;
      this.slices(from, from + 1, page.select, page.pieces);
      page.rows++;
    }
    return from;
  }

  endPage(page, number) {
    let next = null;
    if (number !== null && number < this.count)
      next = { PartitionKey: this.partitionKey(Math.floor(number / this.perPartition)),
        RowKey: this.rowKey(number % this.perPartition) };
    const added = page.added[0]?.row;
    if (added && (!next || compareKeys(added, next) < 0))
      next = { PartitionKey: added.PartitionKey, RowKey: added.RowKey };
    // A comma is one byte of the last piece.
    const last = page.pieces.length - 1;
    if (last >= 0) page.pieces[last] = page.pieces[last].subarray(0, -1);
    return { pieces: page.pieces, rows: page.rows, next };
  }

  // -- one row --

  numberOf(key) {
    const number = this.firstAt(key);
    const p = Math.floor(number / this.perPartition);
    return number < this.count && this.partitionKey(p) === key.PartitionKey &&
      this.rowKey(number % this.perPartition) === key.RowKey ? number : -1;
  }

  find(key) {
    const at = lowerBound(this.overlay.length, (i) => compareKeys(this.overlay[i], key) < 0);
    if (this.overlay[at] && compareKeys(this.overlay[at], key) === 0) return this.overlay[at];
    const number = this.numberOf(key);
    if (number < 0 || this.isReplaced(number)) return null;
    return this.rowAt(number, null);
  }

  isReplaced(number) {
    return this.replaced[lowerBound(this.replaced.length, (i) => this.replaced[i] < number)] === number;
  }

  remove(key) {
    const at = lowerBound(this.overlay.length, (i) => compareKeys(this.overlay[i], key) < 0);
    if (this.overlay[at] && compareKeys(this.overlay[at], key) === 0) this.overlay.splice(at, 1);
    const number = this.numberOf(key);
    if (number < 0 || this.isReplaced(number)) return;
    this.replaced.splice(lowerBound(this.replaced.length, (i) => this.replaced[i] < number), 0, number);
  }

  put(row) {
    this.remove(row);
    this.overlay.splice(lowerBound(this.overlay.length, (i) => compareKeys(this.overlay[i], row) < 0), 0, row);
  }
}
