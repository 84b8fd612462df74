// knex: schema builder, migrations, queries, transactions, streams (over mysql2).
'use strict';
const knex = require('knex');
const {host, port, user, password, schema, say, attempt, sha256, main} = require('./steps');

const connection = {host, port, user, password, charset: 'utf8mb4', timezone: 'Z', dateStrings: true};

const steps = {
  first: {
    up: (db) => db.schema.createTable('people', (table) => {
      table.increments('id');
      table.string('name', 100).notNullable().unique();
      table.decimal('balance', 12, 4).defaultTo(0);
      table.json('settings');
      table.datetime('seen', {precision: 3});
      table.binary('picture');
      table.enu('kind', ['a', 'b']);
    }).createTable('orders', (table) => {
      table.increments('id');
      table.integer('person').unsigned().references('people.id').onDelete('CASCADE');
      table.text('note');
      table.index(['person', 'id']);
    }),
    down: (db) => db.schema.dropTable('orders').dropTable('people'),
  },
  second: {
    up: (db) => db.schema.alterTable('people', (table) => {
      table.renameColumn('kind', 'sort');
      table.boolean('active').defaultTo(true);
    }),
    down: (db) => db.schema.alterTable('people', (table) => {
      table.dropColumn('active');
      table.renameColumn('sort', 'kind');
    }),
  },
};
const migrationSource = {
  getMigrations: async () => Object.keys(steps),
  getMigrationName: (name) => name,
  getMigration: async (name) => steps[name],
};

main(async () => {
  const admin = knex({client: 'mysql2', connection});
  await admin.raw('DROP DATABASE IF EXISTS ??', [schema]);
  await admin.raw('CREATE DATABASE ?? CHARACTER SET utf8mb4', [schema]);
  await admin.destroy();
  const db = knex({client: 'mysql2', connection: {...connection, database: schema}, pool: {min: 0, max: 3}});
  db.on('query', (query) => {
    if (!query.sql.includes('knex_migrations')) say('statement:', query.sql);
  });
  say('up:', (await db.migrate.latest({migrationSource}))[1]);
  // In the order of their names: the server gives them in any.
  say('columns:', Object.fromEntries(Object.entries(await db('people').columnInfo()).sort()));
  say('insert:', await db('people').insert(Array.from({length: 20}, (_, n) => ({
    name: `Ünï ${n} 😀`, balance: n * 1.25, settings: JSON.stringify({n, list: [1, null]}), seen: '2024-02-29 12:34:56.789',
    picture: Buffer.from([0, 1, 254, 255, n]), sort: n % 2 ? 'a' : 'b'}))));
  say(await db('people').select().orderBy('id').limit(3).offset(1));
  say(await db('people').where('name', 'like', '%1%').andWhere('balance', '>', 3).count({number: '*'}).sum({balance: 'balance'}));
  await attempt('duplicate', () => db('people').insert({name: 'Ünï 1 😀'}));
  say('merged:', await db('people').insert({name: 'Ünï 1 😀', balance: 99}).onConflict('name').merge(['balance']));
  await db.transaction(async (trx) => {
    await trx('orders').insert({person: 1, note: "'\"\\"});
    await attempt('inner', () => trx.transaction(async (inner) => {
      await inner('orders').insert({person: 2});
      throw new Error('rolled back');
    }));
  });
  await attempt('rolled back', () => db.transaction(async (trx) => {
    await trx('orders').insert({person: 3});
    await trx('missing').select();
  }));
  say(await db('orders').join('people', 'people.id', 'orders.person').select('orders.*', 'people.name', 'people.active'));
  let digest = '';
  for await (const row of db('people').select().orderBy('id').stream()) digest = sha256(digest + JSON.stringify(row));
  say('streamed:', digest);
  say('deleted:', await db('people').where('id', '<', 3).del(), await db('orders').count({number: '*'}));
  say('together:', await Promise.all(Array.from({length: 20}, (_, n) => db('people').where({id: n}).first('id', 'name'))));
  say('down:', (await db.migrate.rollback({migrationSource}, true))[1]);
  await db.destroy();
});
