import type { Draw } from '../../random.ts';
import { REPLICAS, WRITE_QUORUM } from '../world/cluster-server.ts';
import { type ClusterWorld, type Perform, present } from './cluster-world.ts';
import type { StepKind } from './script.ts';
import { begin } from './user-steps.ts';

/** Folders of the server that blocks are in, or are moved to. */
export const FOLDERS = ['/data/first', '/disk/second'] as const;

const POINTS = ['transact', 'transact-done', 'read', 'put', 'get', 'locate', 'disk-write', 'disk-flush'];
const PAUSES_MS = [5_000, 20_000, 130_000];

function nodesSetting({ script }: ClusterWorld): string {
  const { outAfterMs, codeAfterMs } = script;
  const coding = codeAfterMs === null ? '' : `&code-after-s=${codeAfterMs / 1000}`;
  return `nodes:?replicas=${REPLICAS}&write-quorum=${WRITE_QUORUM}&out-after-s=${outAfterMs / 1000}${coding}`;
}

/** The server dies, loses its power or stands still in the midst of what comes next, or most nodes are gone for a while. */
function disturb(world: ClusterWorld, draw: Draw): void {
  const [server] = world.servers;
  const [point, count, choice] = [draw.pick(POINTS), 1 + draw.below(25), draw.below(4)];
  const pauseMs = draw.pick(PAUSES_MS);
  server?.process?.ambush(point, count, () => {
    const { process } = server;
    world.statistics.count(`moving:${['killed', 'power-cut', 'paused', 'nodes-gone'][choice]}`);
    if (choice === 3) {
      for (const node of present(world)) {
        if (draw.chance(25)) continue;
        world.trace.tell(`${node.nodeId} is killed`);
        void node.kill();
        world.timeline.schedule(draw.pick([3_000, 20_000, 50_000]), () => node.start());
      }
      return;
    }
    if (choice === 2) {
      process?.pause();
      world.timeline.schedule(pauseMs, () => process?.resume());
      return;
    }
    world.trace.tell(`${server.name} ${choice === 0 ? 'is killed' : 'loses its power'} at ${point}`);
    server.kill(choice === 1);
    world.timeline.schedule(draw.pick([50, 1_000, 20_000]), () => server.start());
  });
}

export const moveSteps: Record<Extract<StepKind, 'move' | 'cancel-move'>, Perform> = {
  async move(world, draw) {
    const [server] = world.servers;
    const [user] = world.users;
    if (server === undefined || user === undefined || world.folders === null) return;
    const target = draw.pick([nodesSetting(world), ...FOLDERS.map((directory) => `file:${directory}`)]);
    begin(world, server, `a move to ${target}`, async ({ move }) => {
      await move?.service.begin(user.principal, { target });
      world.statistics.count(target.startsWith('nodes:') ? 'moving:to-nodes' : 'moving:to-folder');
      return 'begun';
    });
    await world.timeline.pass(draw.pick([0, 2, 10, 40]));
    if (draw.chance(50)) disturb(world, draw);
    await world.timeline.pass(draw.pick([0, 20, 300, 6_000]));
  },
  'cancel-move'(world) {
    const [server] = world.servers;
    const [user] = world.users;
    if (server === undefined || user === undefined || world.folders === null) return;
    begin(world, server, 'the move is to be cancelled', async ({ move }) => {
      await move?.service.cancel(user.principal);
      world.statistics.count('moving:cancelled');
      return 'turned round';
    });
  },
};
