/**
 * Writes ONNX models: the few messages and fields of onnx.proto3 that the graphs of `ort.ts` need, in the wire format
 * of protocol buffers (https://protobuf.dev/programming-guides/encoding).
 */

/** `TensorProto.DataType`. */
const FLOAT = 1;
const INT64 = 7;

/** `AttributeProto.AttributeType`. */
const [ATTRIBUTE_INT, ATTRIBUTE_INTS] = [2, 7];

const OPSET = 17;
const IR_VERSION = 8;

export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
}

export interface OnnxTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

export interface OnnxGraph {
  /** f32, with their shapes. */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  /** f32, shapes inferred by who loads the model. */
  readonly outputs: readonly string[];
  readonly initializers: Readonly<Record<string, OnnxTensor>>;
  readonly nodes: readonly OnnxNode[];
}

type Bytes = Uint8Array;

const text = new TextEncoder();

function join(...parts: readonly Bytes[]): Bytes {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

function varint(value: number): Bytes {
  const bytes: number[] = [];
  // Negative numbers are 64 bits of two's complement.
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}

const int = (field: number, value: number): Bytes => join(varint(field << 3), varint(value));

const bytes = (field: number, value: Bytes | string): Bytes => {
  const encoded = typeof value === 'string' ? text.encode(value) : value;
  return join(varint((field << 3) | 2), varint(encoded.length), encoded);
};

const strings = (field: number, values: readonly string[]): Bytes =>
  join(...values.map((value) => bytes(field, value)));

function attribute([name, value]: [string, number | readonly number[]]): Bytes {
  const body =
    typeof value === 'number'
      ? join(int(3, value), int(20, ATTRIBUTE_INT))
      : join(...value.map((each) => int(8, each)), int(20, ATTRIBUTE_INTS));
  return bytes(5, join(bytes(1, name), body));
}

const node = ({ op, inputs, outputs, attributes = {} }: OnnxNode): Bytes =>
  bytes(1, join(strings(1, inputs), strings(2, outputs), bytes(4, op), ...Object.entries(attributes).map(attribute)));

function initializer([name, { shape, data }]: [string, OnnxTensor]): Bytes {
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const type = data instanceof Float32Array ? FLOAT : INT64;
  return bytes(5, join(...shape.map((length) => int(1, length)), int(2, type), bytes(8, name), bytes(9, raw)));
}

function valueInfo(field: number, name: string, shape?: readonly number[]): Bytes {
  const lengths = shape?.map((length) => bytes(1, int(1, length)));
  const tensor = join(int(1, FLOAT), lengths ? bytes(2, join(...lengths)) : new Uint8Array());
  return bytes(field, join(bytes(1, name), bytes(2, bytes(1, tensor))));
}

/** The model file of a graph. */
export function onnxModel({ inputs, outputs, initializers, nodes }: OnnxGraph): Bytes {
  const graph = join(
    ...nodes.map(node),
    bytes(2, 'graph'),
    ...Object.entries(initializers).map(initializer),
    ...Object.entries(inputs).map(([name, shape]) => valueInfo(11, name, shape)),
    ...outputs.map((name) => valueInfo(12, name)),
  );
  return join(int(1, IR_VERSION), bytes(7, graph), bytes(8, int(2, OPSET)));
}
