/** The polynomial x^8 + x^4 + x^3 + x^2 + 1, in which 2 generates all values but 0. */
const POLYNOMIAL = 0x11d;

const powers = new Uint8Array(510);
const logarithms = new Uint8Array(256);
for (let exponent = 0, value = 1; exponent < 255; exponent++) {
  powers[exponent] = value;
  powers[exponent + 255] = value;
  logarithms[value] = exponent;
  value <<= 1;
  if (value > 255) value ^= POLYNOMIAL;
}

/** Product in GF(2^8); sums are `^`. */
export function multiply(a: number, b: number): number {
  if (a === 0 || b === 0) return 0;
  return powers[(logarithms[a] as number) + (logarithms[b] as number)] as number;
}

/** @throws RangeError for 0, which has none */
export function invert(value: number): number {
  if (value === 0) throw new RangeError('0 has no inverse');
  return powers[255 - (logarithms[value] as number)] as number;
}

export type Matrix = readonly (readonly number[])[];

/** Gauss and Jordan's way. @throws RangeError for a matrix that has no inverse */
export function invertMatrix(matrix: Matrix): number[][] {
  const size = matrix.length;
  const rows = matrix.map((row, at) => [...row, ...row.map((_, column) => (column === at ? 1 : 0))]);
  for (let column = 0; column < size; column++) {
    const found = rows.findIndex((row, at) => at >= column && row[column] !== 0);
    if (found < 0) throw new RangeError('the matrix has no inverse');
    const pivot = rows[found] as number[];
    rows[found] = rows[column] as number[];
    const factor = invert(pivot[column] as number);
    rows[column] = pivot.map((value) => multiply(value, factor));
    for (const [at, row] of rows.entries()) {
      const times = row[column] as number;
      if (at === column || times === 0) continue;
      rows[at] = row.map((value, place) => value ^ multiply(times, rows[column]?.[place] as number));
    }
  }
  return rows.map((row) => row.slice(size));
}
