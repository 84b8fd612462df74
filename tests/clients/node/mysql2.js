// mysql2: text and prepared, streams, several results, a pool, pipelined queries, LOAD DATA LOCAL from a stream.
'use strict';
const {Readable} = require('stream');
const mysql = require('mysql2/promise');
const {host, port, user, password, schema, say, attempt, sql, sha256, largeContent, main} = require('./steps');

const login = {host, port, user, password, charset: 'utf8mb4', timezone: 'Z', supportBigNumbers: true, bigNumberStrings: true,
               dateStrings: true, multipleStatements: true};
const metadata = (fields) => fields.map((field) => field && [field.name, field.type ?? field.columnType, field.flags, field.table]);

async function show(answer) {
  const [rows, fields] = await answer;
  say('  columns:', fields ? metadata([].concat(...fields.map((f) => f || []))) : 'none');
  for (const row of [].concat(rows)) say('  row:', row);
}

async function types(connection) {
  await connection.query("SET time_zone = '+00:00'");
  await connection.query(sql('types'));
  say('insert:', (await connection.query(sql('rows')))[0]);
  await show(connection.query('SELECT * FROM types ORDER BY id'));
  for (const bound of [1, 4]) await show(connection.execute('SELECT * FROM types WHERE id >= ? ORDER BY id', [bound]));
  for (let n = 1; n <= 5; n++) {
    const [done] = await connection.execute('INSERT INTO types (c_varchar, c_int, c_double, c_blob, c_json) VALUES (?, ?, ?, ?, ?)',
      [`O'Ünï\\"${n} 😀`, n === 3 ? null : -n, n / 7, Buffer.from([0, 1, 254, 255, n]), JSON.stringify({n, list: [1, null]})]);
    say('prepared insert:', done);
  }
  await connection.query('INSERT INTO types (c_int, c_text) VALUES ?', [Array.from({length: 50}, (_, n) => [n, 'x'.repeat(n)])]);
  await show(connection.query('SELECT id, c_varchar, c_int, c_double, c_blob, c_json FROM types WHERE c_int < ? ORDER BY id', [0]));
  await attempt('missing', () => connection.execute('SELECT * FROM missing WHERE a = ?', [1]));
}

async function streams(connection) {
  await connection.query('CREATE TABLE numbers (id INT PRIMARY KEY, name VARCHAR(50), filler TEXT)');
  await connection.query(sql('numbers'));
  let count = 0;
  let digest = '';
  for await (const row of connection.connection.query('SELECT id, name, filler FROM numbers ORDER BY id').stream({highWaterMark: 3})) {
    count++;
    digest = sha256(digest + JSON.stringify(row));
  }
  say('streamed:', count, digest);
  // Sent one behind the other, without waiting.
  const pipelined = [];
  for (let n = 0; n < 30; n++) {
    pipelined.push(n % 3 === 0 ? connection.ping() : n % 3 === 1 ? connection.query('SELECT ? AS n', [n])
      : connection.execute(`SELECT ${n} + ? AS n`, [n]).catch((error) => error.message));
  }
  for (const answer of await Promise.all(pipelined)) say('pipelined:', Array.isArray(answer) ? answer[0] : answer);
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
  await show(connection.query('SELECT id, name FROM numbers WHERE id >= 5000'));
}

main(async () => {
  await attempt('wrong password', () => mysql.createConnection({...login, password: 'wrong'}));
  await attempt('unknown schema', () => mysql.createConnection({...login, database: 'missing_schema'}));
  const connection = await mysql.createConnection(login);
  await connection.query(`DROP DATABASE IF EXISTS ${schema}`);
  await connection.query(`CREATE DATABASE ${schema} CHARACTER SET utf8mb4`);
  await connection.changeUser({user, password, database: schema});
  await types(connection);
  await streams(connection);
  await transactions(connection);
  await connection.query(sql('procedure'));
  say('several:', (await connection.query("SELECT 1; SELECT 2 AS two, 'x'; UPDATE types SET c_int = 1; CALL two_results(3, @counted); SELECT @counted"))[0]);
  say('call:', (await connection.execute('CALL two_results(?, @counted)', [2]))[0]);
  await attempt('failure among several', () => connection.query('SELECT 1; SELECT * FROM missing; SELECT 3'));
  await connection.query('CREATE TABLE large (id INT PRIMARY KEY, content LONGBLOB)');
  await connection.execute('INSERT INTO large VALUES (1, ?)', [largeContent]);
  for (const way of ['query', 'execute']) {
    const [[row]] = await connection[way]('SELECT LENGTH(content) AS length, SHA2(content, 256) AS sha, content FROM large');
    say('large:', way, row.length, row.sha, row.content.equals(largeContent));
  }
  say('load:', (await connection.query({sql: "LOAD DATA LOCAL INFILE 'x' INTO TABLE numbers CHARACTER SET utf8mb4",
    infileStreamFactory: () => Readable.from([Buffer.from('7000\tname\tünï 😀\n'), Buffer.from('7001\tname\t\\N\n')])}))[0]);
  await attempt('load without consent', () => connection.query("LOAD DATA LOCAL INFILE 'x' INTO TABLE numbers"));
  connection.destroy();
  const pool = mysql.createPool({...login, database: schema, connectionLimit: 4});
  const sums = await Promise.all(Array.from({length: 100}, (_, n) => pool.execute('SELECT id + ? AS sum FROM numbers WHERE id = ?', [n, n + 1])));
  say('pool:', sums.map(([[row]]) => row.sum));
  await pool.end();
});
