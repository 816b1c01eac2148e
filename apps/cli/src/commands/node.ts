import type { NodeFlags } from '../node.ts';
import type { RegisterCommand } from '../register-command.ts';

/** node */
export const registerNode: RegisterCommand = (program, context) => {
  program
    .command('node')
    .description('run a storage node: a disk that keeps blocks for a server')
    .requiredOption('--data <folder>', 'where the node keeps everything; nothing else may use it')
    .option('--listen <host:port>', 'address to listen on', '127.0.0.1:9001')
    .option('--advertise <host:port>', 'address at which servers reach it, when that is another one')
    .option('--join <url>', 'address of a server of the cluster; needed for the first start only')
    .option('--token-stdin', 'read the join token from standard input (or CAIRN_JOIN_TOKEN)')
    .option('--zone <name>', 'what fails together with this node: a machine, a room')
    .option('--weight <number>', 'its share of the blocks in proportion to the other nodes', '1')
    .option('--capacity <size>', 'how much of its disk the node may use, such as 500GiB (default: the disk)')
    .addHelpText(
      'after',
      '\nThe server must run with CAIRN_BLOCKS=nodes:. A token for each node comes from "cairn admin nodes invite".\n' +
        '\nExamples:\n  cairn admin nodes invite | cairn node --data /disk1/cairn --join http://127.0.0.1:8000 --token-stdin\n' +
        '  cairn node --data /disk1/cairn',
    )
    .action(async (options: NodeFlags) => {
      const { runNode } = await import('../node.ts');
      await runNode(context, options);
    });
};
