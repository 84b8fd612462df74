// What the scripts share: arguments, and printing.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const path = require('path');

const [host, port, user, password, schema, sqlFolder] = process.argv.slice(2);

function shown(value) {
  return JSON.stringify(value, (key, inner) => {
    if (typeof inner === 'bigint') return `${inner}n`;
    if (inner && inner.type === 'Buffer') return 'hex ' + Buffer.from(inner.data).toString('hex');
    return inner;
  });
}

function say(...what) {
  process.stdout.write(what.map((part) => (typeof part === 'string' ? part : shown(part))).join(' ') + '\n');
}

async function attempt(title, action) {
  try {
    say(title, '->', (await action()) ?? 'done');
  } catch (error) {
    const inner = error.original || error.driverError || error;
    // MariaDB's connector puts the connection's number in front.
    say(title, '->', inner.errno ?? '', inner.code ?? '', inner.sqlState ?? '',
        (inner.sqlMessage || inner.message).replace(/conn:\d+/, 'conn:N').replace(/(\(?)no: /, '$1no: '));
  }
}

const sql = (name) => fs.readFileSync(path.join(sqlFolder, `${name}.sql`), 'utf8');
const sha256 = (data) => crypto.createHash('sha256').update(data).digest('hex');
const largeContent = Buffer.alloc(17 * 1024 * 1024, Buffer.from(Array.from({length: 256}, (_, n) => n)));

// The end is said only when nothing was left unfinished: a promise that was never kept ends the process silently.
function main(script) {
  script().then(() => say('end of script'), (error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  });
}

module.exports = {host, port: Number(port), user, password, schema, say, attempt, sql, sha256, largeContent, main};
