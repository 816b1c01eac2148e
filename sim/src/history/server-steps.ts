import type { SavedContents } from '../checks/mirror.ts';
import type { Draw } from '../random.ts';
import type { World } from './world.ts';

const saved = new WeakMap<World, SavedContents>();

export async function backUpServer(world: World): Promise<void> {
  if (!world.server.isUp) return;
  world.trace.tell('the server is backed up');
  world.statistics.count('server-backed-up');
  await world.server.backUp();
  saved.set(world, world.mirror.save());
}

/** Restarts, restores and renewals of the server. */
export async function changeServer(
  world: World,
  deed: 'server-restart' | 'server-kill-in-commit' | 'server-restore' | 'server-epoch',
  draw: Draw,
): Promise<void> {
  const { server, trace, statistics, timeline, mirror } = world;
  switch (deed) {
    case 'server-restart': {
      if (!server.isUp) return up(world);
      trace.tell('the server ends');
      statistics.count('server-restarted');
      await server.down();
      if (draw.chance(50)) await timeline.pass(draw.below(3000));
      if (draw.chance(85)) await up(world);
      return;
    }
    case 'server-kill-in-commit':
      server.dieAfterCommits(1 + draw.below(2), () => {
        trace.tell('the server is killed between a commit and its answer');
        statistics.count('server-killed-in-commit');
      });
      return;
    case 'server-restore': {
      if (!server.hasBackup) return;
      if (server.isUp) await server.down();
      const withEpochFile = draw.chance(50);
      trace.tell(`the server is restored from its backup${withEpochFile ? ', all of its folder' : ''}`);
      statistics.count(withEpochFile ? 'server-restored-unmarked' : 'server-restored');
      world.hadUnion = true;
      server.restore(withEpochFile);
      const contents = saved.get(world);
      if (contents !== undefined) mirror.restore(contents);
      await up(world);
      return;
    }
    case 'server-epoch':
      if (server.isUp) await server.down();
      trace.tell('the server loses its epoch file');
      statistics.count('epoch-renewed');
      world.hadUnion = true;
      server.loseEpochFile();
      await up(world);
      return;
  }
}

export async function up(world: World): Promise<void> {
  const { server, mirror, trace } = world;
  if (server.isUp) return;
  await server.up();
  trace.tell('the server is up');
  await mirror.reset(server.services.data, server.principal, server.spaceId);
}
