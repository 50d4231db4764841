import { expect, test } from "vitest";
import { parseAssignment, parseEnvFile } from "../../../src/secrets/env-file.ts";

/** Files of variables: nothing is run, nothing dropped. */

const read = (text: string) => Object.fromEntries(parseEnvFile(text, "f"));

test("lines, quotes, comments", () => {
  const text = [
    "# a comment",
    "",
    "A=1",
    "  export B = two words  # said",
    "C=pass#word",
    "D='$HOME # \"as it is\" \\n'",
    'E="a\\n\\"b\\" \\$x" # behind',
    "F=",
    "G=bw://Work/DB/login.password",
    'H="-----BEGIN',
    'KEY-----"',
    "I=''",
    "J=a=b==",
    "K=bw://My item/field # spaces",
  ].join("\n");
  expect(read(text)).toEqual({
    ...{ A: "1", B: "two words", C: "pass#word", D: '$HOME # "as it is" \\n', E: 'a\n"b" $x', F: "" },
    ...{ G: "bw://Work/DB/login.password", H: "-----BEGIN\nKEY-----", I: "", J: "a=b==", K: "bw://My item/field" },
  });
  expect(read("\ufeffA=1\r\nB=2\r\n")).toEqual({ A: "1", B: "2" });
  expect(read("")).toEqual({});
});

test.each([
  ["A=1\nhunter2\n", 2],
  ["A='open", 1],
  ["1A=x", 1],
  ["A='x' hunter2", 1],
  ["A B=hunter2", 1],
])("%j: which line, and never what is in it", (text, line) => {
  expect(() => read(text)).toThrow(`Line ${line} of f is not a variable and its value.`);
});

test("VAR=REF", () => {
  expect(parseAssignment("A=bw://x,y/z=1")).toEqual({ name: "A", value: "bw://x,y/z=1" });
  expect(() => parseAssignment("hunter2")).toThrow(/^A variable was given without a reference\.$/);
  expect(() => parseAssignment("A-B=hunter2")).toThrow('"A-B" is not the name of a variable.');
});
