/** The functions that vmap cannot be tried on as on any other, and why. */
export type Why = "shape" | "place" | "bare" | "draws";

export const UNMAPPED: Readonly<Record<string, Why>> = {
  set: "place",
  putAlongAxis: "place",
  nonzero: "shape",
  flatnonzero: "shape",
  argwhere: "shape",
  unique: "shape",
  allclose: "bare",
  arrayEqual: "bare",
  dropout: "draws",
};
