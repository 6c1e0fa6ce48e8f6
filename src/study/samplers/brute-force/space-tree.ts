import { UserError } from '../../../base/errors.js';

/** One parameter in a trial's sequence of suggestions. */
export interface Turn {
  readonly name: string;
  readonly values: readonly number[];
  readonly value: number;
}

/** A place in the space: not reached yet (no children), the end of a trial (an empty map), or a parameter. */
export interface TreeNode {
  readonly parent: TreeNode | null;
  name: string | null;
  children: Map<number, TreeNode> | null;
  /** Whether a running trial is at exactly this place. */
  running: boolean;
  /** The number of places from here down that no trial has reached. */
  open: number;
}

/**
 * The space as trials have revealed it: a level for each parameter in the order of suggestion, a branch for each
 * value. Counts what is open, so that adding a trial costs its own length.
 */
export class SpaceTree {
  readonly root = newNode(null);

  /**
   * Adds a trial that has ended. One that left the grid is left out, and one that broke off where others went on, or
   * before it suggested anything, changes nothing.
   */
  end(path: readonly Turn[]): void {
    const node = path.length > 0 ? this.follow(path) : null;
    if (node && node.children === null) {
      node.children = new Map();
      count(node, -node.open);
    }
  }

  /**
   * Marks a running trial's place, if no trial was there before; it counts as open unless excluded.
   *
   * @returns the place, to be unmarked, or undefined where there is nothing to mark
   */
  markRunning(path: readonly Turn[], excluded: boolean): TreeNode | undefined {
    const node = this.follow(path);
    if (!node || node.running || node.children) return undefined;
    node.running = true;
    if (excluded) count(node, -1);
    return node;
  }

  unmark(node: TreeNode): void {
    node.running = false;
    if (node.children === null && node.open === 0) count(node, 1);
  }

  /** The place at the end of a path; null if it leaves the grid. */
  follow(path: readonly Turn[]): TreeNode | null {
    let node = this.root;
    for (const { name, values, value } of path) {
      this.expand(node, name, values);
      const next = node.children!.get(value);
      if (!next) return null;
      node = next;
    }
    return node;
  }

  /**
   * Appends a parameter; other trials may continue from a place where a trial broke off.
   *
   * @throws UserError when another parameter, or another choice of values, came next before.
   */
  expand(node: TreeNode, name: string, values: readonly number[]): void {
    const { children } = node;
    if (!children?.size) {
      node.name = name;
      node.children = new Map(values.map((value) => [value, newNode(node)]));
      count(node, values.length - node.open);
      return;
    }
    if (node.name === name && children.size === values.length && values.every((value) => children.has(value)))
      return;
    throw new UserError(
      `brute force: after the same values "${node.name}" came before, now "${name}", or other values of it; the ` +
        'space must stay as it is',
      { before: node.name, now: name },
    );
  }
}

function newNode(parent: TreeNode | null): TreeNode {
  return { parent, name: null, children: null, running: false, open: 1 };
}

function count(node: TreeNode, by: number): void {
  for (let each: TreeNode | null = node; each; each = each.parent) each.open += by;
}
