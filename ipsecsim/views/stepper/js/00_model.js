// The run as it was sent: strings and layouts are unpacked when they are asked for, the state at a turn is walked to.

const CLASSES = ["clear", "encrypted", "auth", "both", "mutable"];
const CLASS_WORDS = {
  clear: "in the clear",
  encrypted: "encrypted only",
  auth: "authenticated",
  both: "encrypted + authenticated",
  mutable: "mutable, left out of the AH seal",
};
const KINDS = [
  { key: "esp", word: "ESP/AH", letter: "e", of: ["esp", "ah"] },
  { key: "ike", word: "IKE", letter: "i", of: ["ike"] },
  { key: "nat", word: "NAT", letter: "n", of: ["nat"] },
  { key: "state", word: "State", letter: "s", of: ["state"] },
  { key: "drop", word: "Drop", letter: "d", of: ["drop"] },
];

class Model {
  constructor(data) {
    this.data = data;
    this.first = data.first || 1;
    this.packets = new Map();
    this.rungs = null;
    this.nodes = new Map(data.nodes.map((node) => [node.id, node]));
    this.position = { turn: null, state: null };
  }

  get last() {
    return this.first + this.data.turns.length - 1;
  }

  text(value) {
    return typeof value === "number" ? this.data.strings[value] : value || "";
  }

  turn(number) {
    return this.data.turns[number - this.first];
  }

  // More turns of a run that goes on: everything in it continues what is here.
  append(more) {
    const { data } = this;
    for (const name of ["strings", "layouts", "packets", "turns", "checkpoints", "chapters"]) {
      data[name].push(...(more[name] || []));
    }
    this.rungs = null;
    if (more.ladder) data.ladder.splice(more.ladder_from ?? data.ladder.length, Infinity, ...more.ladder);
    for (const [name, spans] of Object.entries(more.secured || {})) {
      const link = data.links.find((each) => each.name === name);
      if (link) link.secured = spans;
    }
    for (const name of ["turns_total", "live", "ends"]) if (name in more) data[name] = more[name];
  }

  // -- packets -------------------------------------------------------------------------------

  packet(id) {
    if (id === null || id === undefined) return null;
    let found = this.packets.get(id);
    if (!found) {
      found = this.unpack(this.data.packets[id]);
      if (this.packets.size > 200) this.packets.clear();
      this.packets.set(id, found);
    }
    return found;
  }

  unpack(sent) {
    const bytes = fromBase64(sent.bytes);
    const plain = sent.plain ? fromBase64(sent.plain) : bytes;
    const said = new Map((sent.values || []).map(([field, value]) => [field, this.text(value)]));
    const titles = new Map((sent.titles || []).map(([layer, title]) => [layer, this.text(title)]));
    let number = 0;
    const layers = this.data.layouts[sent.layout].layers.map((layer, at) => ({
      at,
      kind: layer.kind,
      name: this.text(layer.name),
      title: apart(titles.get(at) ?? this.text(layer.title), this.text(layer.name)),
      start: layer.start,
      end: layer.end,
      depth: layer.depth,
      sealedBy: this.text(layer.sealed_by),
      rfc: this.text(layer.rfc),
      fields: layer.fields.map(([name, bit, length, protection, show, meaning, rfc]) => {
        const value = said.get(number++) ?? shown(plain, bit, length, show);
        return {
          layer: at,
          name: this.text(name),
          bit,
          length,
          protection,
          value,
          meaning: this.text(meaning),
          rfc: this.text(rfc),
        };
      }),
    }));
    return {
      id: sent.id,
      number: sent.number,
      name: this.text(sent.name),
      size: sent.size,
      bytes,
      plain,
      layers,
      broken: Boolean(sent.broken),
      readers: sent.readers || [],
    };
  }

  // What somebody can read of a packet: the node's own keys decide, "" stands for all keys.
  seenBy(packet, node) {
    if (!packet || !node || packet.readers.includes(node)) return packet;
    const open = packet.layers.filter((layer) => !layer.sealedBy);
    if (open.length === packet.layers.length) return packet;
    const isReadable = (field) => field.protection !== "both" && field.protection !== "encrypted";
    const layers = open.map((layer) => ({ ...layer, fields: layer.fields.filter(isReadable) }));
    return { ...packet, plain: packet.bytes, layers, isClosed: true };
  }

  // -- state ---------------------------------------------------------------------------------

  // What every node knows once a turn is over: {node: {section: {...}}}.
  state(turn) {
    const here = this.position;
    if (here.turn === turn) return here.state;
    const checkpoint = this.data.checkpoints.findLast((each) => each.turn <= turn);
    const far = here.turn === null || Math.abs(here.turn - turn) > turn - checkpoint.turn;
    let at = far ? checkpoint.turn : here.turn;
    const state = far ? structuredClone(checkpoint.state) : here.state;
    while (at < turn) for (const [path, , now] of this.turn(++at).changes) put(state, path, now);
    while (at > turn) for (const [path, old] of this.turn(at--).changes.toReversed()) put(state, path, old);
    this.position = { turn, state };
    return state;
  }

  // -- finding turns -------------------------------------------------------------------------

  // The next turn of a kind after `from`, or before it; null when there is none.
  seek(from, way, fits) {
    for (let at = from + way; at >= this.first && at <= this.last; at += way) if (fits(this.turn(at))) return at;
    return null;
  }

  chapterOf(turn) {
    return this.data.chapters.findLast((each) => each.turn <= turn);
  }

  // The row of the ladder whose message arrives in a turn, or else is sent in it, or is on its way, or came last.
  rungOf(turn) {
    const { ladder } = this.data;
    if (!this.rungs) {
      const [sent, arrived] = [new Map(), new Map()];
      ladder.forEach((rung, at) => {
        sent.set(rung.turn_sent, at);
        if (rung.turn_arrived !== null) arrived.set(rung.turn_arrived, at);
      });
      this.rungs = { sent, arrived };
    }
    const exact = this.rungs.arrived.get(turn) ?? this.rungs.sent.get(turn);
    if (exact !== undefined) return exact;
    let low = 0;
    let high = ladder.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ladder[middle].turn_sent <= turn) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

function put(state, path, value) {
  const last = path.length - 1;
  const way = [state];
  for (const step of path.slice(0, last)) {
    const here = way[way.length - 1];
    if (!Object.hasOwn(here, step)) here[step] = {};
    way.push(here[step]);
  }
  if (value !== null) {
    way[last][path[last]] = value;
    return;
  }
  // what is empty now was not there before either
  for (let at = last; at >= 0; at--) {
    delete way[at][path[at]];
    if (Object.keys(way[at]).length) break;
  }
}

function fromBase64(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

const hexOf = (bytes) => Array.from(bytes, (each) => each.toString(16).padStart(2, "0")).join("");

// What a title says beside the name: a notification is named by what it says.
function apart(title, name) {
  return name.includes(title) ? "" : title;
}

// The value of a field as its bytes say it: `how` is the base, and behind a bar what is put after it.
function shown(plain, bit, length, how) {
  const [base, ...rest] = how.split("|");
  return printed(plain, bit, length, base) + rest.join("|");
}

function printed(plain, bit, length, how) {
  const first = Math.floor(bit / 8);
  const bytes = plain.subarray(first, Math.ceil((bit + length) / 8));
  if (how === "ip4") return bytes.join(".");
  if (how === "ip6") return ip6(bytes);
  if (how === "text") return new TextDecoder().decode(bytes);
  if (how === "bytes" || length > 64) return bytes.length > 20 ? `${hexOf(bytes.subarray(0, 20))}... (${bytes.length} bytes)` : hexOf(bytes);
  let number = 0n;
  for (const each of bytes) number = (number << 8n) | BigInt(each);
  const behind = BigInt(bytes.length * 8 - (bit % 8) - length);
  number = (number >> behind) & ((1n << BigInt(length)) - 1n);
  return how === "hex" ? `0x${number.toString(16).padStart(Math.ceil(length / 4), "0")}` : String(number);
}

// RFC 5952: the longest run of zeros is left out.
function ip6(bytes) {
  const groups = Array.from({ length: 8 }, (_, at) => (bytes[2 * at] << 8) | bytes[2 * at + 1]);
  let best = { at: -1, length: 1 };
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (at + length < 8 && groups[at + length] === 0) length++;
    if (length > best.length) best = { at, length };
  }
  const words = groups.map((group) => group.toString(16));
  if (best.at < 0) return words.join(":");
  return `${words.slice(0, best.at).join(":")}::${words.slice(best.at + best.length).join(":")}`;
}

// Which fields of two packets with the same layers differ: [{layer, name, old, now, bit, length}].
function differences(before, after) {
  if (!before || !after || before.layers.length !== after.layers.length) return [];
  const found = [];
  after.layers.forEach((layer, at) => {
    const old = before.layers[at];
    if (old.kind !== layer.kind || old.fields.length !== layer.fields.length) return;
    layer.fields.forEach((field, number) => {
      const was = old.fields[number];
      if (was.name === field.name && was.value !== field.value) {
        found.push({ layer: at, of: layer.name, name: field.name, old: was.value, now: field.value, bit: field.bit, length: field.length });
      }
    });
  });
  return found;
}

// How many bytes of each class a packet has; the own bytes of a layer are those of its fields.
function byteCounts(packet) {
  const counts = Object.fromEntries(CLASSES.map((name) => [name, 0]));
  const classes = classByByte(packet);
  for (const each of classes) counts[each] += 1;
  return counts;
}

function classByByte(packet) {
  const classes = new Array(packet.size).fill("clear");
  if (packet.isClosed) {
    const open = packet.layers[packet.layers.length - 1];
    for (let at = open ? open.start : 0; at < packet.size; at++) classes[at] = "both";
  }
  for (const layer of packet.layers) {
    for (const field of layer.fields) {
      const end = Math.ceil((field.bit + field.length) / 8);
      for (let at = Math.floor(field.bit / 8); at < end; at++) classes[at] = field.protection;
    }
  }
  return classes;
}

// Names of layers and fields are said in sentences too, where they begin with a small letter.
const isSame = (one, other) => String(one).toLowerCase() === String(other).toLowerCase();

function seconds(nanoseconds) {
  return nanoseconds < 1e9 ? `${(nanoseconds / 1e6).toFixed(3)} ms` : `${(nanoseconds / 1e9).toFixed(6)} s`;
}
