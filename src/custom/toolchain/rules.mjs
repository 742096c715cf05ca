import { FEATURES, numbersOf, walk } from './reflect.mjs';

/** WebGPU's default limit, which every adapter has. */
const MAX_STORAGE_BINDINGS = 8;

/** Builtins that want an address. Anywhere else a pointer would hide who writes. */
const TAKE_ADDRESS = /^(atomic\w+|arrayLength|workgroupUniformLoad)$/;

/**
 * What is wrong with a kernel, as lines `file:line: what`; empty if nothing is.
 * @param {import('./link.mjs').Linked} linked
 * @param {import('./reflect.mjs').Reflected} reflected
 * @param {readonly string[]} [except] names of rules that are not asked
 * @returns {string[]}
 */
export function complaints({ opening, locate }, { ast, info }, except = []) {
  const declared = new Map(ast.filter(({ name }) => name).map((node) => [node.name, node]));
  const buffers = [...info.uniforms, ...info.storage].sort((a, b) => a.binding - b.binding);
  const kernel = { ast, info, locate, opening, buffers, declared, facts: factsOf(ast) };
  const rules = RULES.filter(({ name }) => !except.includes(name));
  return rules.flatMap((rule) => [...rule(kernel)]).map(([node, message]) => `${locate(node)}: ${message}`);
}

/** Each yields pairs: a node, or nothing for the whole file, and what is wrong there, with the way out. */
const RULES = [
  function* opensWithComment({ opening }) {
    if (/\bgrid\b/i.test(opening)) return;
    yield [undefined, 'expected the file to open with a comment: its formula, its layout, its grid'];
  },

  function* oneEntryPoint({ info, declared }) {
    const { compute, vertex, fragment } = info.entry;
    const names = [...compute, ...vertex, ...fragment].map(({ name }) => name);
    if (names.length === 1 && compute[0]?.name === 'main') return;
    const odd = names.find((name) => name !== 'main');
    yield [
      declared.get(odd),
      `expected one entry point, @compute and named main, got ${names.join(' and ') || 'none'}`,
    ];
  },

  function* bindingsInOrder({ info, buffers, declared }) {
    for (const { name } of [...info.textures, ...info.samplers, ...info.immediates]) {
      yield [declared.get(name), `${name}: expected storage and uniform buffers only`];
    }
    for (const [index, { name, group, binding }] of buffers.entries()) {
      if (group !== 0) yield [declared.get(name), `${name}: expected group 0, got ${group}`];
      if (binding === index) continue;
      yield [
        declared.get(name),
        `${name}: expected bindings numbered 0, 1, 2, ... and so ${index} here, got ${binding}`,
      ];
    }
    const { length } = info.storage;
    if (length <= MAX_STORAGE_BINDINGS) return;
    const { name } = info.storage[MAX_STORAGE_BINDINGS];
    yield [
      declared.get(name),
      `expected at most ${MAX_STORAGE_BINDINGS} storage bindings (the default limit), got ${length}`,
    ];
  },

  function* twoUniforms({ info, declared, locate }) {
    for (const { name, type } of info.uniforms) {
      const wanted = { params: 'Params', live: 'Live' }[name];
      if (type.name !== wanted) {
        yield [
          declared.get(name),
          `expected no uniforms but \`params: Params\` and \`live: Live\`, got \`${name}: ${type.getTypeName()}\``,
        ];
      } else if (name === 'live' && !locate(declared.get('Live')).includes('lib/live.wgsl')) {
        yield [declared.get('Live'), 'Live: expected that of lib/live.wgsl; write import package::lib::live::Live;'];
      }
    }
  },

  function* sharedStructs({ buffers, declared }) {
    const types = buffers.map(({ type }) => (type.isArray ? type.format : type));
    for (const struct of new Set(types.filter((type) => type.isStruct))) {
      for (const { name, type } of struct.members.filter((member) => !numbersOf(member.type))) {
        const expected = 'f32, i32, u32, a vector of them, or an array of fixed size without gaps';
        yield [declared.get(struct.name), `${struct.name}.${name}: expected ${expected}, got ${type.getTypeName()}`];
      }
    }
  },

  function* honestAccess({ info, buffers, declared, facts }) {
    for (const { name } of buffers) {
      if (!facts.used.has(name)) yield [declared.get(name), `${name}: declared but not used; remove it`];
    }
    for (const { name, access } of info.storage.filter((buffer) => facts.used.has(buffer.name))) {
      const writes = facts.written.has(name);
      if ((access === 'read_write') === writes) continue;
      const expected = writes ? 'read_write, since the kernel writes it' : 'read, since the kernel never writes it';
      yield [declared.get(name), `${name}: expected access ${expected}; got ${access}`];
    }
  },

  function* noPointers({ facts, declared }) {
    for (const { name, statement } of facts.addresses) {
      const { storage } = declared.get(name) ?? {};
      if (!['storage', 'workgroup'].includes(storage)) continue;
      yield [
        statement,
        `&${name}: expected no pointer into ${storage} memory but for atomics, arrayLength and workgroupUniformLoad`,
      ];
    }
  },

  function* overridesComplete({ ast, info, declared }) {
    for (const node of ast.filter(({ astNodeType }) => astNodeType === 'override')) {
      if (!node.type) yield [node, `override ${node.name}: expected a written type`];
      if (!node.value) yield [node, `override ${node.name}: expected a default`];
      if (node.attributes?.length) yield [node, `override ${node.name}: expected no attribute; it is set by its name`];
    }
    const sizes = declared.get('main')?.attributes?.find(({ name }) => name === 'workgroup_size')?.value ?? [];
    for (const size of [sizes].flat()) {
      const known = /^\d+[iu]?$/.test(size) || info._constValues.has(size);
      if (known || declared.get(size)?.value === null) continue;
      yield [
        declared.get('main'),
        `@workgroup_size: expected numbers and names of constants or overrides, got ${size}`,
      ];
    }
  },

  function* knownFeatures({ ast }) {
    for (const node of ast.filter(({ astNodeType, name }) => astNodeType === 'enable' && !(name in FEATURES))) {
      yield [node, `enable ${node.name}: expected ${Object.keys(FEATURES).join(' or ')}`];
    }
  },

  function* noNanComparison({ facts }) {
    for (const statement of facts.selfComparisons) {
      yield [
        statement,
        'a value compared with itself never finds NaN on real adapters; use isFiniteBits of lib/float-bits.wgsl',
      ];
    }
  },

  function* lintableLoops({ facts }) {
    for (const node of facts.openLoops) {
      yield [node, 'expected `for` with a condition, or `loop`; the race lint runs `while` and `for (;;)` wrongly'];
    }
  },
];

/** What the functions do, in one walk. */
function factsOf(ast) {
  const facts = { used: new Set(), written: new Set(), addresses: [], selfComparisons: [], openLoops: [] };
  for (const fn of ast.filter(({ astNodeType }) => astNodeType === 'function')) {
    const locals = localNames(fn);
    const note = (set, name) => locals.has(name) || set.add(name);
    const allowed = new Set();
    walk(fn, (node, statement) => {
      const { astNodeType: kind, name } = node;
      if (kind === 'varExpr') note(facts.used, name);
      if (kind === 'assign' || kind === 'increment') note(facts.written, node.variable.name);
      if ((kind === 'call' || kind === 'callExpr') && TAKE_ADDRESS.test(name)) {
        const [target] = node.args;
        allowed.add(target);
        if (name.startsWith('atomic') && name !== 'atomicLoad') note(facts.written, target.right?.name);
      }
      if (kind === 'unaryOp' && node.operator === '&' && !allowed.has(node) && !locals.has(node.right.name)) {
        facts.addresses.push({ name: node.right.name, statement });
      }
      if (kind === 'binaryOp' && ['==', '!='].includes(node.operator) && text(node.left) === text(node.right)) {
        facts.selfComparisons.push(statement);
      }
      if (kind === 'while' || (kind === 'for' && !node.condition)) facts.openLoops.push(statement);
    });
  }
  return facts;
}

/** A local of the same name hides a binding; to the whole function, which is near enough. */
function localNames(fn) {
  const names = new Set();
  walk(fn, ({ astNodeType, name }) => ['argument', 'var', 'let', 'const'].includes(astNodeType) && names.add(name));
  return names;
}

const POSITION = new Set(['id', 'line', 'start', 'end']);
const text = (node) => JSON.stringify(node, (key, value) => (POSITION.has(key) ? undefined : value));
