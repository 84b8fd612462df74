// mariadb: text and prepared, pipelining, bulk batches, streams, several results, a pool.
'use strict';
const mariadb = require('mariadb');
const {host, port, user, password, schema, say, attempt, sql, sha256, largeContent, main} = require('./steps');
const fs = require('fs');

const login = {host, port, user, password, charset: 'utf8mb4', timezone: 'Z', dateStrings: true, multipleStatements: true,
               allowPublicKeyRetrieval: true, trace: false, permitLocalInfile: true, connectTimeout: 10000};

function show(result) {
  if (Array.isArray(result) && result.meta) {
    say('  columns:', result.meta.map((m) => [m.name(), m.type, m.columnLength, m.scale, m.flags, m.table()]));
  }
  for (const row of [].concat(result)) say('  row:', row);
}

async function types(connection) {
  await connection.query("SET time_zone = '+00:00'");
  await connection.query(sql('types'));
  say('insert:', await connection.query(sql('rows')));
  show(await connection.query('SELECT * FROM types ORDER BY id'));
  for (const bound of [1, 4]) show(await connection.execute('SELECT * FROM types WHERE id >= ? ORDER BY id', [bound]));
  const insert = await connection.prepare('INSERT INTO types (c_varchar, c_int, c_double, c_blob) VALUES (?, ?, ?, ?)');
  for (let n = 1; n <= 5; n++) {
    say('prepared insert:', await insert.execute([`O'Ünï\\"${n} 😀`, n === 3 ? null : -n, n / 7, Buffer.from([0, 1, 254, 255, n])]));
  }
  insert.close();
  show(await connection.query('SELECT id, c_varchar, c_int, c_double, c_blob FROM types WHERE c_int < ? ORDER BY id', [0]));
  await attempt('missing', () => connection.execute('SELECT * FROM missing WHERE a = ?', [1]));
}

async function batches(connection) {
  await connection.query('CREATE TABLE batched (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(100) UNIQUE, n INT)');
  say('batch:', await connection.batch('INSERT INTO batched (name, n) VALUES (?, ?)', Array.from({length: 500}, (_, n) => [`ünï ${n}`, n % 7 ? n : null])));
  await attempt('batch with a duplicate', () => connection.batch('INSERT INTO batched (name, n) VALUES (?, ?)', [['new', 1], ['ünï 5', 2]]));
  show(await connection.query('SELECT COUNT(*), SUM(n) FROM batched'));
  const pipelined = [];
  for (let n = 0; n < 30; n++) pipelined.push(n % 2 ? connection.query('SELECT ? AS n', [n]) : connection.execute(`SELECT ${n} + ? AS n`, [n]));
  for (const answer of await Promise.all(pipelined)) show(answer);
}

async function streams(connection) {
  await connection.query('CREATE TABLE numbers (id INT PRIMARY KEY, name VARCHAR(50), filler TEXT)');
  await connection.query(sql('numbers'));
  let count = 0;
  let digest = '';
  for await (const row of connection.queryStream('SELECT id, name, filler FROM numbers ORDER BY id')) {
    count++;
    digest = sha256(digest + JSON.stringify(row));
  }
  say('streamed:', count, digest);
}

async function transactions(connection) {
  await connection.beginTransaction();
  await connection.query("INSERT INTO numbers VALUES (5000, 'rolled back', '')");
  await connection.rollback();
  await connection.beginTransaction();
  await connection.execute("INSERT INTO numbers VALUES (?, ?, '')", [5001, 'kept']);
  await attempt('duplicate', () => connection.execute("INSERT INTO numbers VALUES (?, ?, '')", [5001, 'again']));
  await connection.commit();
  for (const wrong of ['SELEKT 1', 'INSERT INTO numbers VALUES (1)', 'USE missing_schema',
    'SELECT id, (SELECT l.id FROM numbers l WHERE l.id <= n.id) FROM numbers n ORDER BY id']) {
    await attempt(wrong, () => connection.query(wrong));
  }
}

main(async () => {
  await attempt('unknown schema', () => mariadb.createConnection({...login, database: 'missing_schema'}));
  const connection = await mariadb.createConnection(login);
  say(connection.serverVersion(), connection.info.isMariaDB());
  await connection.query(`DROP DATABASE IF EXISTS ${schema}`);
  await connection.query(`CREATE DATABASE ${schema} CHARACTER SET utf8mb4`);
  await connection.query(`USE ${schema}`);
  await types(connection);
  await batches(connection);
  await streams(connection);
  await transactions(connection);
  await connection.query(sql('procedure'));
  say('several:', await connection.query("SELECT 1; SELECT 2 AS two, 'x'; UPDATE types SET c_int = 1; CALL two_results(3, @counted); SELECT @counted"));
  say('call:', await connection.execute('CALL two_results(?, @counted)', [2]));
  await attempt('failure among several', () => connection.query('SELECT 1; SELECT * FROM missing; SELECT 3'));
  await connection.query('CREATE TABLE large (id INT PRIMARY KEY, content LONGBLOB)');
  await connection.query('INSERT INTO large VALUES (1, ?)', [largeContent]);
  for (const way of ['query', 'execute']) {
    const [row] = await connection[way]('SELECT LENGTH(content) AS length, SHA2(content, 256) AS sha, content FROM large');
    say('large:', way, row.length, row.sha, row.content.equals(largeContent));
  }
  fs.writeFileSync('rows.txt', '7000\tname\tünï 😀\n7001\tname\t\\N\n');
  await attempt('load', () => connection.query("LOAD DATA LOCAL INFILE 'rows.txt' INTO TABLE numbers CHARACTER SET utf8mb4"));
  await attempt('file is missing', () => connection.query("LOAD DATA LOCAL INFILE 'none.txt' INTO TABLE numbers"));
  await connection.reset();
  await connection.ping();
  await connection.end();
  const pool = mariadb.createPool({...login, database: schema, connectionLimit: 4});
  const sums = await Promise.all(Array.from({length: 100}, (_, n) => pool.execute('SELECT id + ? AS sum FROM numbers WHERE id = ?', [n, n + 1])));
  say('pool:', sums.map(([row]) => row.sum));
  await pool.end();
});
