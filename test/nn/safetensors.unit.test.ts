import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ModelFileError } from '../../src/errors.ts';
import { fromFloat32, parseSafetensors, serializeSafetensors, toFloat32 } from '../../src/nn/safetensors.ts';
import type { Safetensors, SafetensorsDtype, SafetensorsTensor } from '../../src/nn/safetensors.ts';

const encoder = new TextEncoder();

/** A file from a header, given as JSON text or as a value, and its data. */
function craft(header: unknown, data: Uint8Array | number = 0, headerLength?: number | bigint): Uint8Array {
  const text = typeof header === 'string' ? header : JSON.stringify(header);
  const head = encoder.encode(text);
  const tail = typeof data === 'number' ? new Uint8Array(data) : data;
  const file = new Uint8Array(8 + head.length + tail.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerLength ?? head.length), true);
  file.set(head, 8);
  file.set(tail, 8 + head.length);
  return file;
}

/** The message that refuses `bytes`: always a `ModelFileError`, on one line, naming the file. */
function refusal(bytes: Uint8Array): string {
  try {
    parseSafetensors(bytes, 'm.safetensors');
  } catch (error) {
    expect(error).toBeInstanceOf(ModelFileError);
    const { message } = error as ModelFileError;
    expect(message).toMatch(/^m\.safetensors: .*expected .*, got .+$/);
    return message.slice('m.safetensors: '.length);
  }
  throw new Error('the file was accepted');
}

const one = fromFloat32(new Float32Array(1), []);
const two = fromFloat32(new Float32Array(2), [2]);
const only = (name: string, tensor: SafetensorsTensor): Safetensors =>
  ({ metadata: {}, tensors: new Map([[name, tensor]]) });
const i32 = { dtype: 'I32', shape: [2, 2], data_offsets: [0, 16] };

const small: Safetensors = {
  metadata: { format: 'pt', constructor: 'é\n"', '': '' },
  tensors: new Map([
    ['stage1.conv1.weight', fromFloat32(new Float32Array([1, -0, NaN, Infinity, 1e-40, 2]), [3, 2])],
    ['scalar', fromFloat32(new Float32Array([7]), [])],
    ['toString', { dtype: 'I8', shape: [3], bytes: new Uint8Array([1, 2, 3]) }],
    ['0', { dtype: 'F64', shape: [1], bytes: new Uint8Array(8).fill(9) }],
    ['none', { dtype: 'F16', shape: [4, 0], bytes: new Uint8Array(0) }],
  ]),
};

describe('files of the reference implementation', () => {
  // The bytes its own tests expect: safetensors/src/tensor.rs and bindings/python/tests/test_simple.py.
  const zeros = (dtype: SafetensorsDtype, shape: number[], length: number) =>
    ({ dtype, shape, bytes: new Uint8Array(length) });
  const empty = new Map<string, SafetensorsTensor>();
  const attention = fromFloat32(new Float32Array([0, 1, 2, 3, 4, 5]), [1, 2, 3]);
  const written: [string, Safetensors, string, number][] = [
    ['no tensor', { metadata: {}, tensors: empty }, '{}      ', 0],
    ['metadata', { metadata: { framework: 'pt' }, tensors: empty }, '{"__metadata__":{"framework":"pt"}}     ', 0],
    [
      'one tensor', only('test', zeros('I32', [2, 2], 16)),
      '{"test":{"dtype":"I32","shape":[2,2],"data_offsets":[0,16]}}    ', 16,
    ],
    [
      'metadata and a tensor', { ...only('test1', zeros('I32', [2, 2], 16)), metadata: { framework: 'pt' } },
      '{"__metadata__":{"framework":"pt"},"test1":{"dtype":"I32","shape":[2,2],"data_offsets":[0,16]}} ', 16,
    ],
    [
      'larger elements first',
      { metadata: {}, tensors: new Map([['test2', zeros('F16', [2, 2], 8)], ['test1', zeros('I32', [2, 2], 16)]]) },
      '{"test1":{"dtype":"I32","shape":[2,2],"data_offsets":[0,16]},' +
      '"test2":{"dtype":"F16","shape":[2,2],"data_offsets":[16,24]}}      ', 24,
    ],
    [
      'elements of four bits', only('attn.0', zeros('F4', [1, 2], 1)),
      '{"attn.0":{"dtype":"F4","shape":[1,2],"data_offsets":[0,1]}}    ', 1,
    ],
  ];

  test.each(written)('%s: written alike and read back', (_, content, header, dataLength) => {
    const file = craft(header, dataLength);
    expect(serializeSafetensors(content)).toEqual(file);
    expect(parseSafetensors(file)).toEqual(content);
  });

  test('float data', () => {
    const file = new Uint8Array([
      64, 0, 0, 0, 0, 0, 0, 0, 123, 34, 97, 116, 116, 110, 46, 48, 34, 58, 123, 34, 100, 116, 121, 112, 101, 34, 58, 34,
      70, 51, 50, 34, 44, 34, 115, 104, 97, 112, 101, 34, 58, 91, 49, 44, 50, 44, 51, 93, 44, 34, 100, 97, 116, 97, 95,
      111, 102, 102, 115, 101, 116, 115, 34, 58, 91, 48, 44, 50, 52, 93, 125, 125, 0, 0, 0, 0, 0, 0, 128, 63, 0, 0, 0,
      64, 0, 0, 64, 64, 0, 0, 128, 64, 0, 0, 160, 64,
    ]);
    expect(serializeSafetensors(only('attn.0', attention))).toEqual(file);
    const { tensors } = parseSafetensors(file);
    expect(tensors.get('attn.0')!.shape).toEqual([1, 2, 3]);
    expect(toFloat32(tensors.get('attn.0')!, 'attn.0')).toEqual(new Float32Array([0, 1, 2, 3, 4, 5]));
  });

  test('a header without padding, a scalar, a tensor without elements, other white space at the end', () => {
    expect(parseSafetensors(craft({ test: { dtype: 'I32', shape: [], data_offsets: [0, 4] } }, 4)).tensors.get('test'))
      .toEqual(zeros('I32', [], 4));
    expect(parseSafetensors(craft('{"test":{"dtype":"I32","shape":[2,0],"data_offsets":[0, 0]}}')).tensors.get('test'))
      .toEqual(zeros('I32', [2, 0], 0));
    expect(parseSafetensors(craft('{}\r \t\n')).tensors.size).toBe(0);
  });
});

describe('round trips', () => {
  test('keep every name, shape and bit', () => {
    const file = serializeSafetensors(small);
    const read = parseSafetensors(file);
    expect(read).toEqual(small);
    expect([...read.tensors.keys()]).toEqual(['0', 'scalar', 'stage1.conv1.weight', 'none', 'toString']);
    expect(serializeSafetensors(read)).toEqual(file);
  });

  test('align the data, and each tensor to its element', () => {
    for (let length = 0; length < 16; length++) {
      const metadata = { padding: 'x'.repeat(length) };
      const { tensors } = parseSafetensors(serializeSafetensors({ ...small, metadata }));
      expect(tensors.get('0')!.bytes.byteOffset % 8).toBe(0);
      expect(tensors.get('stage1.conv1.weight')!.bytes.byteOffset % 4).toBe(0);
    }
  });

  test('any tensors and metadata', () => {
    const widths = { U8: 1, I8: 1, BF16: 2, F32: 4, I64: 8 };
    const name = fc.string({ unit: 'grapheme' }).filter((text) => text !== '__metadata__' && text !== '__proto__');
    const tensor = fc.record({
      dtype: fc.constantFrom(...(Object.keys(widths) as (keyof typeof widths)[])),
      shape: fc.array(fc.nat(3), { maxLength: 4 }),
    }).chain(({ dtype, shape }) => {
      const length = shape.reduce((product, dimension) => product * dimension, widths[dtype]);
      return fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => ({ dtype, shape, bytes }));
    });
    const content = fc.record({
      metadata: fc.dictionary(name, fc.string({ unit: 'grapheme' })),
      tensors: fc.array(fc.tuple(name, tensor)).map((entries) => new Map(entries)),
    });
    fc.assert(fc.property(content, (given) => {
      expect(parseSafetensors(serializeSafetensors(given))).toEqual(given);
    }), { seed: 1 });
  });
});

describe('toFloat32', () => {
  const values = new Float32Array([1.5, -2]);

  test('is a view where the data is aligned, a copy where it is not', () => {
    const file = serializeSafetensors(only('w', fromFloat32(values, [2])));
    const shifted = new Uint8Array(file.length + 1).subarray(1);
    shifted.set(file);
    const aligned = toFloat32(parseSafetensors(file).tensors.get('w')!, 'w');
    const copied = toFloat32(parseSafetensors(shifted).tensors.get('w')!, 'w');
    expect(aligned).toEqual(values);
    expect(copied).toEqual(values);
    expect(aligned.buffer).toBe(file.buffer);
    expect(copied.buffer).not.toBe(shifted.buffer);
  });

  test("copies out of Node's Buffer too, whose slice is a view", () => {
    const buffer = Buffer.alloc(9).subarray(1);
    buffer.set(fromFloat32(values, [2]).bytes);
    expect(toFloat32({ dtype: 'F32', shape: [2], bytes: buffer }, 'w')).toEqual(values);
  });

  test('takes F32 only', () => {
    expect(() => toFloat32({ dtype: 'F16', shape: [0], bytes: new Uint8Array(0) }, 'w'))
      .toThrow(new ModelFileError('tensor "w": expected dtype F32, got F16'));
  });
});

describe('malformed files', () => {
  test('truncated at every length', () => {
    const file = serializeSafetensors(small);
    for (let length = 0; length < file.length; length++) refusal(file.subarray(0, length));
    expect(refusal(file.subarray(0, 3))).toBe('expected 8 bytes with the length of the header, got 3 bytes');
    expect(refusal(file.subarray(0, 20)))
      .toBe(`expected a header of ${file[0]! + 256 * file[1]!} bytes, got 12 bytes (file truncated?)`);
    expect(refusal(file.subarray(0, file.length - 1)))
      .toBe('tensor "toString": expected data up to byte 39, got 38 bytes (file truncated?)');
  });

  test('a header length that is huge is refused before anything is allocated', () => {
    for (const length of [100_000_001n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 64n - 1n]) {
      expect(refusal(craft('{}', 0, length))).toBe(
        `expected a header of at most 100000000 bytes, got ${Number(length)} bytes (not a safetensors file?)`);
    }
    expect(refusal(craft('{}', 0, 1e8))).toBe('expected a header of 100000000 bytes, got 2 bytes (file truncated?)');
  });

  const tensor = (info: unknown) => ({ w: info });
  const f32 = (shape: unknown, data_offsets: unknown) => tensor({ dtype: 'F32', shape, data_offsets });
  const u8 = (begin: number, end: number) => ({ dtype: 'U8', shape: [end - begin], data_offsets: [begin, end] });
  const dtypes = 'BOOL, F4, F6_E2M3, F6_E3M2, U8, I8, F8_E5M2, F8_E4M3, F8_E8M0, F8_E4M3FNUZ, F8_E5M2FNUZ, ' +
    'I16, U16, F16, BF16, I32, U32, F32, C64, F64, I64, U64';

  test.each<[string, unknown, number, string]>([
    ['an empty header', '', 0, 'expected a header that begins with {, got ""'],
    ['white space first', ' {}', 0, 'expected a header that begins with {, got " {}"'],
    ['a byte order mark first', '\ufeff{}', 0, 'expected a header that begins with {, got "\ufeff{}"'],
    ['an array', '[]', 0, 'expected a header that begins with {, got "[]"'],
    ['not JSON', '{"w":}', 0, 'header: expected JSON, got "{\\"w\\":}"'],
    ['zeros for padding', '{}\0\0', 0, 'header: expected JSON, got "{}\\u0000\\u0000"'],
    ['deep nesting', `{"w":${'['.repeat(1e5)}`, 0, 'header: expected at most 64 levels, got more'],
    ['a name given twice', '{"w":{},"\\u0077":{}}', 0, 'header: expected each key once, got "w" twice'],
    ['a field given twice', '{"w":{"shape":[],"shape":[]}}', 0, 'header: expected each key once, got "shape" twice'],
    ['a tensor __proto__', '{"__proto__":{}}', 0, 'header: expected no key called "__proto__", got one'],
    ['a field __proto__', '{"w":{"__proto__":{}}}', 0, 'header: expected no key called "__proto__", got one'],
    [
      'metadata __proto__', '{"__metadata__":{"__proto__":""}}', 0,
      'header: expected no key called "__proto__", got one',
    ],
    ['metadata null', { __metadata__: null }, 0, '__metadata__: expected an object, got null'],
    ['metadata an array', { __metadata__: [] }, 0, '__metadata__: expected an object, got an array of 0'],
    ['metadata a number', { __metadata__: { a: 1 } }, 0, '__metadata__["a"]: expected a string, got 1'],
    ['metadata nested', { __metadata__: { a: {} } }, 0, '__metadata__["a"]: expected a string, got an object'],
    ['a tensor null', tensor(null), 0, 'tensor "w": expected an object, got null'],
    ['a tensor a list', tensor(['U8', [], [0, 1]]), 1, 'tensor "w": expected an object, got an array of 3'],
    [
      'no dtype', tensor({ shape: [], data_offsets: [0, 0] }), 0,
      `tensor "w".dtype: expected one of ${dtypes}, got nothing`,
    ],
    [
      'an unknown dtype', tensor({ ...i32, dtype: 'F33' }), 16,
      `tensor "w".dtype: expected one of ${dtypes}, got "F33"`,
    ],
    [
      'an inherited dtype', tensor({ ...i32, dtype: 'valueOf' }), 16,
      `tensor "w".dtype: expected one of ${dtypes}, got "valueOf"`,
    ],
    ['no shape', f32(undefined, [0, 0]), 0, 'tensor "w".shape: expected an array, got nothing'],
    ['a shape of text', f32(['2'], [0, 8]), 8, 'tensor "w".shape[0]: expected an integer >= 0, got "2"'],
    ['a negative shape', f32([2, -1], [0, 8]), 8, 'tensor "w".shape[1]: expected an integer >= 0, got -1'],
    ['negative twice', f32([-2, -1], [0, 8]), 8, 'tensor "w".shape[0]: expected an integer >= 0, got -2'],
    ['a fraction', f32([0.5, 4], [0, 8]), 8, 'tensor "w".shape[0]: expected an integer >= 0, got 0.5'],
    [
      'a dimension past 2^53', '{"w":{"dtype":"I32","shape":[2,18446744073709551614],"data_offsets":[0,16]}}', 16,
      'tensor "w".shape[1]: expected an integer >= 0, got 18446744073709552000',
    ],
    [
      'a product past 2^64', f32([2 ** 32, 2 ** 31], [0, 0]), 0,
      'tensor "w": expected 36893488147419103000 bytes for F32 of shape [4294967296, 2147483648], ' +
        'got 0, data_offsets [0, 0]',
    ],
    [
      'a product past the doubles', f32([...Array<number>(30).fill(2 ** 52), 0], [0, 0]), 0,
      `tensor "w": expected NaN bytes for F32 of shape [${`${2 ** 52}, `.repeat(8)}...], got 0, data_offsets [0, 0]`,
    ],
    ['no offsets', f32([], undefined), 4, 'tensor "w".data_offsets: expected an array, got nothing'],
    ['one offset', f32([], [0]), 4, 'tensor "w".data_offsets: expected an array of 2, got an array of 1'],
    ['negative offsets', f32([], [-4, 0]), 4, 'tensor "w".data_offsets[0]: expected an integer >= 0, got -4'],
    [
      'reversed offsets', f32([], [4, 0]), 4,
      'tensor "w": expected the end after the beginning, got data_offsets [4, 0]',
    ],
    [
      'too few bytes', f32([2], [0, 4]), 4,
      'tensor "w": expected 8 bytes for F32 of shape [2], got 4, data_offsets [0, 4]',
    ],
    [
      'too many bytes', f32([], [0, 8]), 8,
      'tensor "w": expected 4 bytes for F32 of shape [], got 8, data_offsets [0, 8]',
    ],
    [
      'half a byte', tensor({ dtype: 'F4', shape: [3], data_offsets: [0, 2] }), 2,
      'tensor "w": expected 1.5 bytes for F4 of shape [3], got 2, data_offsets [0, 2]',
    ],
    ['past the end', f32([2], [0, 8]), 7, 'tensor "w": expected data up to byte 8, got 7 bytes (file truncated?)'],
    [
      'an overlap', { a: u8(0, 4), b: u8(2, 6) }, 6,
      'tensor "b": expected data from byte 4 on, got data_offsets [2, 6] (overlap)',
    ],
    [
      'shared data', { a: i32, b: i32 }, 16,
      'tensor "b": expected data from byte 16 on, got data_offsets [0, 16] (overlap)',
    ],
    [
      'nothing inside another', { a: u8(0, 4), b: u8(2, 2) }, 4,
      'tensor "b": expected data from byte 4 on, got data_offsets [2, 2] (overlap)',
    ],
    [
      'a hole', { a: u8(0, 4), b: u8(5, 6) }, 6,
      'tensor "b": expected data from byte 4 on, got data_offsets [5, 6] (hole)',
    ],
    [
      'a hole at the start', { a: u8(1, 4) }, 4,
      'tensor "a": expected data from byte 0 on, got data_offsets [1, 4] (hole)',
    ],
    ['trailing bytes', tensor(i32), 20, 'expected 16 bytes of data, got 20 (trailing bytes)'],
    ['data without tensors', {}, 1, 'expected 0 bytes of data, got 1 (trailing bytes)'],
  ])('%s', (_, header, dataLength, message) => {
    expect(refusal(craft(header, dataLength))).toBe(message);
  });

  test('a header that is not UTF-8', () => {
    const file = craft({ w: i32 }, 16);
    file[10] = 0xff;
    expect(refusal(file)).toBe('expected a header in UTF-8, got other bytes');
  });

  test('order in the header does not matter, and fields of a later version are let pass', () => {
    const { tensors } = parseSafetensors(craft({ b: { ...u8(4, 6), later: true }, c: u8(4, 4), a: u8(0, 4) }, 6));
    expect([...tensors.keys()]).toEqual(['a', 'c', 'b']);
  });

  test.each<[string, Safetensors, string]>([
    [
      'bytes that disagree with the shape', only('w', { ...two, shape: [3] }),
      'tensor "w": expected 12 bytes for F32 of shape [3], got 8, data_offsets [0, 8]',
    ],
    [
      'a negative shape', only('w', { ...two, shape: [-2, -1] }),
      'tensor "w".shape[0]: expected an integer >= 0, got -2',
    ],
    [
      'a tensor in the place of the metadata', { ...only('__metadata__', one), metadata: { format: 'pt' } },
      'header: expected each key once, got "__metadata__" twice',
    ],
    [
      'the same without metadata', only('__metadata__', one),
      '__metadata__["shape"]: expected a string, got an array of 0',
    ],
    ['a tensor called __proto__', only('__proto__', one), 'header: expected no key called "__proto__", got one'],
  ])('are not written: %s', (_, content, message) => {
    expect(() => serializeSafetensors(content)).toThrow(new ModelFileError(`serializeSafetensors: ${message}`));
  });
});

describe('fuzz: a file is read or refused, never anything else', () => {
  /** Whatever is accepted must account for every byte and survive a round trip. */
  function readOrRefuse(bytes: Uint8Array): void {
    let read: Safetensors;
    try {
      read = parseSafetensors(bytes, 'm.safetensors');
    } catch {
      refusal(bytes);
      return;
    }
    const headerLength = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
    const dataLength = [...read.tensors.values()].reduce((sum, tensor) => sum + tensor.bytes.length, 0);
    expect(8 + headerLength + dataLength).toBe(bytes.length);
    expect(parseSafetensors(serializeSafetensors(read))).toEqual(read);
  }

  test('random bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), readOrRefuse), { seed: 1, numRuns: 500 });
    const text = fc.string({ unit: 'binary' });
    fc.assert(fc.property(text, (header) => readOrRefuse(craft(header))), { seed: 2, numRuns: 500 });
  });

  test('bytes of a valid file changed, removed and inserted', () => {
    const file = serializeSafetensors(small);
    const at = fc.nat(file.length - 1);
    const change = fc.record({ at, removed: fc.nat(2), inserted: fc.uint8Array({ maxLength: 2 }) });
    fc.assert(fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
      const bytes = [...file];
      for (const { at, removed, inserted } of changes) bytes.splice(at, removed, ...inserted);
      readOrRefuse(new Uint8Array(bytes));
    }), { seed: 3, numRuns: 3000 });
  });

  test('parts of a valid header replaced by hostile ones, under a length that fits', () => {
    const pieces = [
      '{"a":', '{"dtype":"U8",', '"shape":[2],', '"data_offsets":[0,2]}',
      ',"b":{"dtype":"F4",', '"shape":[4],', '"data_offsets":[2,4]}', ',"__metadata__":{"k":"v"}', '}',
    ];
    const hostile = fc.oneof(
      fc.constantFrom(
        '', '{', '}', '[', ']', ',', ':', '"', '\\', '\0', '0', '1e400', 'null', '{"__proto__":', ',"a":', ' ',
        '"shape":[],', '"shape":[1e308,1e308,0],', '"shape":[2.0],', '"shape":[-0],',
        '"data_offsets":[2,2]}', '"data_offsets":[0,4]}',
      ),
      fc.constantFrom(...pieces),
      fc.json(),
    );
    const edits = fc.array(fc.tuple(fc.nat(pieces.length - 1), hostile), { maxLength: 2 });
    fc.assert(fc.property(edits, fc.nat(6), (changes, dataLength) => {
      const header = [...pieces];
      for (const [at, text] of changes) header[at] = text;
      readOrRefuse(craft(header.join(''), dataLength));
    }), { seed: 4, numRuns: 3000 });
  });
});
