/**
 * What the compiler and the editor see: no `any` in public types, methods as the functions without their first parameter,
 * inference through callbacks, documentation on hover. The assertions on types stand here as code, and a test compiles it.
 */
import { join } from "node:path";
import {
  type ArrayInput,
  autograd,
  checkGrad,
  type DType,
  grad,
  hvp,
  jacobian,
  type NablaError,
  NDArray,
  type Nested,
  np,
  npx,
  ShapeError,
  valueAndGrad,
  vjp,
  vmap,
} from "nabla";
import ts from "typescript";
import { beforeAll, describe, expect, expectTypeOf, test } from "vitest";
import * as members from "../src/members.ts";
import { ROOT } from "./support/source.ts";

const SELF = join(ROOT, "test/types.test.ts");
const PROBE = join(ROOT, "test/probe.ts");
const INDEX = join(ROOT, "src/index.ts");
const FUNCTIONS = Object.keys(members);

/** A file that only the compiler sees: one line per method, so that one can hover over it. */
const probe = [
  'import { type NDArray, np, npx, autograd } from "nabla";',
  "declare const x: NDArray;",
  ...FUNCTIONS.map(name => `void x.${name};`),
  ...["attachGrad", "backward", "detach", "grad", "T", "iadd", "item", "tolist", "zeroGrad"].map(name => `void x.${name};`),
  ...Object.keys(np).map(name => `void np.${name};`),
  ...Object.keys(npx).map(name => `void npx.${name};`),
  ...Object.keys(autograd).map(name => `void autograd.${name};`),
].join("\n");

let service: ts.LanguageService;
let program: ts.Program;
let checker: ts.TypeChecker;

beforeAll(() => {
  const config = ts.readConfigFile(join(ROOT, "tsconfig.json"), ts.sys.readFile).config as { compilerOptions: object };
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, ROOT);
  const host: ts.LanguageServiceHost = {
    getCompilationSettings: () => options,
    getScriptFileNames: () => [SELF, PROBE, INDEX],
    getScriptVersion: () => "1",
    getScriptSnapshot: path => {
      const text = path === PROBE ? probe : ts.sys.readFile(path);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => ROOT,
    getDefaultLibFileName: o => ts.getDefaultLibFilePath(o),
    fileExists: path => path === PROBE || ts.sys.fileExists(path),
    readFile: ts.sys.readFile,
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
  };
  service = ts.createLanguageService(host);
  program = service.getProgram()!;
  checker = program.getTypeChecker();
});

/** The text that an editor shows for the name at the end of `line` in the probe. */
function hover(expression: string): { signature: string; documentation: string; tags: string[] } {
  const at = probe.indexOf(`void ${expression};`) + "void ".length + expression.length - 1;
  const info = service.getQuickInfoAtPosition(PROBE, at);
  return {
    signature: ts.displayPartsToString(info?.displayParts),
    documentation: ts.displayPartsToString(info?.documentation),
    tags: (info?.tags ?? []).map(t => t.name),
  };
}

test("the assertions of this file compile", () => {
  const messages = [
    ...program.getSyntacticDiagnostics(program.getSourceFile(SELF)),
    ...program.getSemanticDiagnostics(program.getSourceFile(SELF)),
  ].map(d => {
    const line = d.file!.getLineAndCharacterOfPosition(d.start!).line + 1;
    return `${line}: ${ts.flattenDiagnosticMessageText(d.messageText, " ")}`;
  });
  expect(messages).toEqual([]);
});

test("no `any` in public types", () => {
  const found: string[] = [];
  const seen = new Set<ts.Type>();
  const ours = (symbol: ts.Symbol | undefined): boolean =>
    symbol?.declarations?.some(d => d.getSourceFile().fileName.startsWith(join(ROOT, "src"))) ?? false;
  const visit = (type: ts.Type, path: string): void => {
    if (type.flags & ts.TypeFlags.Any) {
      found.push(path);
      return;
    }
    if (seen.has(type)) return;
    seen.add(type);
    if (type.isUnionOrIntersection()) for (const part of type.types) visit(part, path);
    // What the standard library says with its own types is no business of ours.
    if (ours(type.symbol)) for (const argument of checker.getTypeArguments(type as ts.TypeReference)) visit(argument, `${path}<>`);
    for (const signature of [...type.getCallSignatures(), ...type.getConstructSignatures()]) {
      if (signature.declaration && !signature.declaration.getSourceFile().fileName.startsWith(ROOT)) continue;
      for (const p of signature.getParameters()) visit(checker.getTypeOfSymbol(p), `${path}(${p.name})`);
      visit(signature.getReturnType(), `${path}()`);
    }
    for (const index of checker.getIndexInfosOfType(type)) if (ours(type.symbol)) visit(index.type, `${path}[]`);
    if (type.isClassOrInterface() || ours(type.symbol) || ours(type.aliasSymbol) || type.flags & ts.TypeFlags.Object)
      for (const property of checker.getPropertiesOfType(type))
        if (ours(property)) visit(checker.getTypeOfSymbol(property), `${path}.${property.name}`);
  };
  const index = checker.getSymbolAtLocation(program.getSourceFile(INDEX)!)!;
  const exported = checker.getExportsOfModule(index);
  expect(exported.length).toBeGreaterThan(10);
  for (const symbol of exported) {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    if (target.flags & ts.SymbolFlags.Module)
      for (const inner of checker.getExportsOfModule(target)) {
        const real = inner.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(inner) : inner;
        visit(checker.getTypeOfSymbol(real), `${symbol.name}.${inner.name}`);
      }
    else {
      if (target.flags & ts.SymbolFlags.Value) visit(checker.getTypeOfSymbol(target), symbol.name);
      if (target.flags & ts.SymbolFlags.Type) visit(checker.getDeclaredTypeOfSymbol(target), symbol.name);
    }
  }
  expect(seen.size, "types looked at").toBeGreaterThan(100);
  expect(found).toEqual([]);
});

test("every method has the type of its function without the first parameter", () => {
  const index = checker.getSymbolAtLocation(program.getSourceFile(join(ROOT, "src/members.ts"))!)!;
  const source = program.getSourceFile(PROBE)!;
  const typeOf = new Map<string, ts.Type>();
  const look = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node) && node.expression.getText() === "x")
      typeOf.set(node.name.text, checker.getTypeAtLocation(node));
    ts.forEachChild(node, look);
  };
  look(source);
  const wrong: string[] = [];
  for (const symbol of checker.getExportsOfModule(index)) {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const functions = checker.getTypeOfSymbol(target).getCallSignatures();
    const methods = typeOf.get(symbol.name)?.getCallSignatures() ?? [];
    if (functions.length !== 1) wrong.push(`${symbol.name} has ${functions.length} signatures, of which a method keeps the last`);
    if (methods.length !== 1) wrong.push(`x.${symbol.name} has ${methods.length} signatures`);
    const [f, m] = [functions.at(-1), methods.at(-1)];
    if (f === undefined || m === undefined) continue;
    // The names of rest parameters are lost on the way, and optional ones say so twice.
    const show = (signature: ts.Signature): string =>
      checker
        .signatureToString(signature, undefined, ts.TypeFormatFlags.NoTruncation)
        .replaceAll(" | undefined", "")
        .replace(/\.\.\.\w+/, "...rest");
    const wanted = show(f).replace(/^(<[^(]*>)?\(\w+: (ArrayInput|NDArray)(, )?/, "$1(");
    if (show(m) !== wanted) wrong.push(`x.${symbol.name}${show(m)}, wanted ${wanted}`);
  }
  expect(wrong).toEqual([]);
});

describe("hovering", () => {
  test("over every method shows the function's documentation", () => {
    const empty: string[] = [];
    for (const name of FUNCTIONS) {
      const { documentation, signature } = hover(`x.${name}`);
      if (documentation.length < 20) empty.push(`${name}: ${signature}`);
    }
    expect(empty).toEqual([]);
  });

  test("over x.tanh, x.sum and x.backward shows their words", () => {
    expect(hover("x.tanh").documentation).toMatch(/hyperbolic tangent/i);
    expect(hover("x.sum").documentation).toMatch(/sum over axes/i);
    expect(hover("x.backward").documentation).toMatch(/gradients/i);
    expect(hover("x.T").documentation).toMatch(/axes reversed/i);
    expect(hover("x.mul").documentation).toMatch(/product/i);
    expect(hover("x.sum").tags).toContain("example");
  });

  test("over every function of np, npx and autograd shows documentation", () => {
    const empty: string[] = [];
    for (const [path, group] of Object.entries({ np, npx, autograd } as Record<string, Record<string, unknown>>))
      for (const name of Object.keys(group)) {
        if (typeof group[name] !== "function") continue;
        const { documentation } = hover(`${path}.${name}`);
        if (documentation.length < 20) empty.push(`${path}.${name}`);
      }
    expect(empty).toEqual([]);
  });

  test("shows readable signatures: named parameters, no inner types", () => {
    const { signature } = hover("x.sum");
    expect(signature).toMatch(/axis\?/);
    expect(signature).toMatch(/NDArray/);
    for (const name of FUNCTIONS) expect(hover(`x.${name}`).signature, name).not.toMatch(/\bMethod<|\bnever\b|: any\b/);
  });
});

// ---- assertions that the compiler checks

declare const x: NDArray;

/** Never called: it only has to compile. */
function assertions(): void {
  // Functions and methods give arrays.
  expectTypeOf(np.add(x, 1)).toEqualTypeOf<NDArray>();
  expectTypeOf(np.add([1], [[2]])).toEqualTypeOf<NDArray>();
  expectTypeOf(np.sin(Float64Array.of(1))).toEqualTypeOf<NDArray>();
  expectTypeOf(x.add(1).mul([2]).tanh().sum(0, { keepdims: true })).toEqualTypeOf<NDArray>();
  expectTypeOf(x.at(0, "1:2", null, np.newaxis, np.slice(1), [0, 1], x, [true])).toEqualTypeOf<NDArray>();
  expectTypeOf(x.set(1, 0).iadd(2)).toEqualTypeOf<NDArray>();
  expectTypeOf(
    np.array([
      [1, 2],
      [3, 4],
    ]),
  ).toEqualTypeOf<NDArray>();
  expectTypeOf(x.reshape(2, 3)).toEqualTypeOf<NDArray>();
  expectTypeOf(x.reshape([2, 3])).toEqualTypeOf<NDArray>();
  expectTypeOf(x.attachGrad()).toEqualTypeOf<NDArray>();
  expectTypeOf(np.linalg.norm(x, "fro", [0, 1])).toEqualTypeOf<NDArray>();
  expectTypeOf(np.linalg.qr(x)).toEqualTypeOf<[NDArray, NDArray]>();
  expectTypeOf(np.linalg.qr(x, { mode: "r" })).toEqualTypeOf<NDArray>();
  expectTypeOf(np.linalg.svd(x, { fullMatrices: true })).toEqualTypeOf<[NDArray, NDArray, NDArray]>();
  expectTypeOf(np.linalg.svd(x, { computeUv: false })).toEqualTypeOf<NDArray>();
  expectTypeOf(np.linalg.eigh(x, { UPLO: "U" })).toEqualTypeOf<[NDArray, NDArray]>();
  expectTypeOf(np.linspace(0, 1)).toEqualTypeOf<NDArray>();
  expectTypeOf(np.linspace(0, [1], 3, { endpoint: false })).toEqualTypeOf<NDArray>();
  expectTypeOf(np.linspace(0, 1, 3, { retstep: true })).toEqualTypeOf<[NDArray, NDArray]>();
  expectTypeOf(np.average(x, 0, { weights: [1] })).toEqualTypeOf<NDArray>();
  expectTypeOf(np.average(x, 0, { returned: true })).toEqualTypeOf<[NDArray, NDArray]>();
  expectTypeOf(x.average()).toEqualTypeOf<NDArray>();
  expectTypeOf(x.average([0, 1], { returned: true })).toEqualTypeOf<[NDArray, NDArray]>();
  expectTypeOf(np.indices([2])).toEqualTypeOf<NDArray>();
  expectTypeOf(np.indices([2], { sparse: true })).toEqualTypeOf<NDArray[]>();
  expectTypeOf([[[1], [2]]].map(np.vstack)).toEqualTypeOf<NDArray[]>();
  expectTypeOf(np.random.normal(0, 1, [2])).toEqualTypeOf<NDArray>();

  // What is read from an array.
  expectTypeOf(x.item()).toEqualTypeOf<number>();
  expectTypeOf<() => boolean>(() => x.item()).toBeFunction();
  expectTypeOf(x.tolist()).toEqualTypeOf<Nested>();
  expectTypeOf(x.shape).toEqualTypeOf<readonly number[]>();
  expectTypeOf(x.dtype).toEqualTypeOf<DType>();
  expectTypeOf(x.size).toEqualTypeOf<number>();
  expectTypeOf(x.grad).toEqualTypeOf<NDArray | null>();
  expectTypeOf(x.T).toEqualTypeOf<NDArray>();
  expectTypeOf(x.gradIsFresh).toEqualTypeOf<boolean>();
  expectTypeOf([...x]).toEqualTypeOf<NDArray[]>();
  expectTypeOf(x.backward()).toEqualTypeOf<void>();
  expectTypeOf(np.float32).toEqualTypeOf<"float32">();
  expectTypeOf(np.pi).toEqualTypeOf<number>();
  expectTypeOf(np.newaxis).toEqualTypeOf<null>();

  // Callbacks keep their type, whatever it is.
  expectTypeOf(autograd.record(() => x.sum())).toEqualTypeOf<NDArray>();
  expectTypeOf(autograd.record(() => 5)).toEqualTypeOf<number>();
  expectTypeOf(autograd.record(() => [x, 1] as const)).toEqualTypeOf<readonly [NDArray, 1]>();
  expectTypeOf(autograd.record(() => ({ loss: x, step: 1 }))).toEqualTypeOf<{ loss: NDArray; step: number }>();
  expectTypeOf(autograd.record(() => {}, { trainMode: false })).toEqualTypeOf<void>();
  expectTypeOf(autograd.pause(() => "a")).toEqualTypeOf<string>();
  expectTypeOf(autograd.predictMode(() => true)).toEqualTypeOf<boolean>();
  expectTypeOf(npx.scope(() => [x, x])).toEqualTypeOf<NDArray[]>();
  expectTypeOf(npx.keep(x)).toEqualTypeOf<NDArray>();
  expectTypeOf(autograd.record().end).toEqualTypeOf<() => void>();
  expectTypeOf(autograd.record({ trainMode: false }).end).toEqualTypeOf<() => void>();

  // One in, one out; a list in, a list out.
  expectTypeOf(autograd.grad(x, x)).toEqualTypeOf<NDArray>();
  expectTypeOf(autograd.grad(x, [x])).toEqualTypeOf<NDArray[]>();
  const f = (a: NDArray, b: NDArray): NDArray => a.mul(b).sum();
  expectTypeOf(grad(f)(1, 2)).toEqualTypeOf<NDArray>();
  expectTypeOf(grad(f, 1)(1, 2)).toEqualTypeOf<NDArray>();
  expectTypeOf(grad(f, [0, 1])(1, 2)).toEqualTypeOf<NDArray[]>();
  expectTypeOf(valueAndGrad(f)(1, 2)).toEqualTypeOf<[NDArray, NDArray]>();
  expectTypeOf(valueAndGrad(f, [0])(1, 2)).toEqualTypeOf<[NDArray, NDArray[]]>();
  expectTypeOf(jacobian(f, [1])(1, 2)).toEqualTypeOf<NDArray[]>();
  expectTypeOf(grad(grad(v => v.pow(3)))(2)).toEqualTypeOf<NDArray>();
  expectTypeOf(vjp(v => v.mul(2), 1)[0]).toEqualTypeOf<NDArray>();
  grad(v => {
    expectTypeOf(v).toEqualTypeOf<NDArray>();
    return v;
  });
  valueAndGrad((a, b) => {
    expectTypeOf(b).toEqualTypeOf<NDArray>();
    return a.mul(b).sum();
  });

  // np's own functions are functions of arrays, though options may follow.
  expectTypeOf(grad(np.tanh)(1)).toEqualTypeOf<NDArray>();
  expectTypeOf(grad(grad(np.sin))(1)).toEqualTypeOf<NDArray>();
  expectTypeOf(grad(np.power, [0, 1])(2, 3)).toEqualTypeOf<NDArray[]>();
  expectTypeOf(jacobian(np.sum)([1, 2])).toEqualTypeOf<NDArray>();
  expectTypeOf(hvp(np.sum, [1], [1])).toEqualTypeOf<NDArray>();
  expectTypeOf(vjp(np.add, [1], [2])[0]).toEqualTypeOf<NDArray>();
  expectTypeOf(checkGrad(np.arctan2, [1, 2])).toEqualTypeOf<number>();
  expectTypeOf(vmap(np.add)([1], [2])).toEqualTypeOf<NDArray>();
  expectTypeOf(vmap(a => [a, a])([1])).toEqualTypeOf<NDArray[]>();
  expectTypeOf([1, 2].map(np.sin)).toEqualTypeOf<NDArray[]>();
  expectTypeOf([x, x].map(np.sin)).toEqualTypeOf<NDArray[]>();
  expectTypeOf([[1], [2]].map(npx.relu)).toEqualTypeOf<NDArray[]>();
  expectTypeOf([x, x].reduce(np.add)).toEqualTypeOf<NDArray>();
  expectTypeOf([x, x].reduce(np.matmul)).toEqualTypeOf<NDArray>();
  expectTypeOf([x, x].map(npx.gelu)).toEqualTypeOf<NDArray[]>();

  // Several results.
  expectTypeOf(npx.topk(x, { retTyp: "both" })).toEqualTypeOf<[NDArray, NDArray]>();
  expectTypeOf(npx.topk(x)).toEqualTypeOf<NDArray>();
  expectTypeOf(x.topk({ retTyp: "both" })).toEqualTypeOf<[NDArray, NDArray]>();
  expectTypeOf(x.topk({ k: 2 })).toEqualTypeOf<NDArray>();

  expectTypeOf(np.atleast1d(x)).toEqualTypeOf<NDArray>();
  expectTypeOf(np.atleast2d(x, 1)).toEqualTypeOf<NDArray[]>();
  expectTypeOf(x.atleast3d()).toEqualTypeOf<NDArray>();
  expectTypeOf(x.atleast3d([1], x)).toEqualTypeOf<NDArray[]>();
  expectTypeOf([1, 2].map(np.atleast1d)).toEqualTypeOf<NDArray[][]>();

  // What stands for an array.
  expectTypeOf<number>().toMatchTypeOf<ArrayInput>();
  expectTypeOf<boolean[]>().toMatchTypeOf<ArrayInput>();
  expectTypeOf<number[][]>().toMatchTypeOf<ArrayInput>();
  expectTypeOf<readonly (readonly number[])[]>().toMatchTypeOf<ArrayInput>();
  expectTypeOf<Uint8ClampedArray>().toMatchTypeOf<ArrayInput>();
  expectTypeOf<NDArray>().toMatchTypeOf<ArrayInput>();
  expectTypeOf<Nested>().toMatchTypeOf<ArrayInput>();
  expectTypeOf(new ShapeError()).toMatchTypeOf<NablaError>();

  // Numbers of an array's elements go back into one.
  np.array(x.tolist());
  np.array(x.toTypedArray());

  // Writing a function of one's own.
  class Scale extends autograd.Function {
    override forward(a: NDArray, b: NDArray): NDArray {
      this.saveForBackward(a, b);
      return a.mul(b);
    }
    override backward(dy: NDArray): [NDArray, null] {
      const [, b] = this.savedTensors;
      return [dy.mul(b!), null];
    }
  }
  expectTypeOf(new Scale().apply(x, 2)).toEqualTypeOf<NDArray>();
  expectTypeOf(new Scale().apply<[NDArray, NDArray]>(x, 2)).toEqualTypeOf<[NDArray, NDArray]>();
}

/** Never called: each line must be an error to the compiler. */
function mistakes(): void {
  // @ts-expect-error a string is no array
  np.add("1", 2);
  // @ts-expect-error an operand is missing
  np.add(x);
  // @ts-expect-error a promise is no array
  np.sin(Promise.resolve(1));
  // @ts-expect-error big integers are no elements
  np.array([1n]);
  // @ts-expect-error there is no such dtype
  np.zeros(2, { dtype: "float128" });
  // @ts-expect-error there is no such option
  np.zeros(2, { type: "float32" });
  // @ts-expect-error options are an object
  x.sum(0, true);
  // @ts-expect-error there is no such option
  x.sum(0, { keepDims: true });
  // @ts-expect-error an axis is a number
  x.sum("0");
  // @ts-expect-error there is no such way to treat a gradient
  x.attachGrad("overwrite");
  // @ts-expect-error the shape cannot be assigned
  x.shape = [1];
  // @ts-expect-error nor its elements
  x.shape[0] = 1;
  // @ts-expect-error the dtype cannot be assigned
  x.dtype = "float64";
  // @ts-expect-error the gradient cannot be assigned
  x.grad = x;
  // @ts-expect-error constants cannot be assigned
  np.pi = 3;
  // @ts-expect-error the function returns an array
  grad(() => 5);
  // @ts-expect-error nor does this one
  grad(np.allclose);
  // @ts-expect-error the list that map hands on is no array
  [x, x].map(np.atleast1d);
  // @ts-expect-error there is no such option
  np.sin(x, { output: x });
  // @ts-expect-error a third array is no option
  np.add(x, x, x);
  // @ts-expect-error there is no such mode
  np.take(x, [0], 0, { mode: "clamp" });
  // @ts-expect-error there is no such result
  npx.topk(x, { retTyp: "values" });
  // @ts-expect-error a flag is true or false
  autograd.setRecording(1);
  // @ts-expect-error there is no such comparison
  npx.setNp({ comparison: "int32" });
  // @ts-expect-error the class is abstract
  new autograd.Function();
  // @ts-expect-error an option's value is checked too
  x.backward(null, { retainGraph: "yes" });
}

test("the array's class is there at run time too", () => {
  expect([assertions, mistakes].every(f => typeof f === "function")).toBe(true);
  expect(np.array(1)).toBeInstanceOf(NDArray);
});
