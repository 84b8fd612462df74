// typeorm: synchronised entities, relations, query builder, transactions, migrations, streams (over mysql2).
'use strict';
require('reflect-metadata');
const {DataSource, EntitySchema} = require('typeorm');
const {host, port, user, password, schema, say, attempt, sha256, main} = require('./steps');

const Person = new EntitySchema({
  name: 'person', tableName: 'people',
  columns: {
    id: {type: 'int', primary: true, generated: true}, name: {type: 'varchar', length: 100, unique: true},
    balance: {type: 'decimal', precision: 12, scale: 4, default: 0}, settings: {type: 'json', nullable: true},
    seen: {type: 'datetime', precision: 6, nullable: true}, picture: {type: 'blob', nullable: true},
    kind: {type: 'enum', enum: ['a', 'b'], default: 'a'}, active: {type: 'boolean', default: true}, big: {type: 'bigint', nullable: true},
  },
  relations: {orders: {type: 'one-to-many', target: 'order', inverseSide: 'person', cascade: true}},
});
const Order = new EntitySchema({
  name: 'order', tableName: 'orders',
  columns: {id: {type: 'int', primary: true, generated: true}, note: {type: 'text', nullable: true}},
  relations: {person: {type: 'many-to-one', target: 'person', inverseSide: 'orders', onDelete: 'CASCADE'}},
});

class AddColumn1700000000000 {
  constructor() {
    this.name = 'AddColumn1700000000000';
  }
  async up(runner) {
    await runner.query("ALTER TABLE people ADD COLUMN added VARCHAR(20) NOT NULL DEFAULT 'ü'");
  }
  async down(runner) {
    await runner.query('ALTER TABLE people DROP COLUMN added');
  }
}

const logger = {logQuery: (text, values) => say('statement:', text, values ?? ''), logQueryError: () => {}, logQuerySlow: () => {},
                logSchemaBuild: () => {}, logMigration: (text) => say(text), log: () => {}};

main(async () => {
  const options = {type: 'mysql', host, port, username: user, password, charset: 'utf8mb4', timezone: 'Z', dateStrings: true, poolSize: 3};
  const admin = await new DataSource({...options}).initialize();
  await admin.query(`DROP DATABASE IF EXISTS ${schema}`);
  await admin.query(`CREATE DATABASE ${schema} CHARACTER SET utf8mb4`);
  await admin.destroy();
  const db = await new DataSource({...options, database: schema, entities: [Person, Order], migrations: [AddColumn1700000000000],
                                   synchronize: true, logging: true, logger}).initialize();
  const people = db.getRepository('person');
  for (let n = 0; n < 5; n++) {
    await people.save({name: `Ünï ${n} 😀`, balance: n * 1.25, settings: {n, list: [1, null]}, seen: new Date(Date.UTC(2024, 1, 29, 12, n)),
                       picture: Buffer.from([0, 1, 254, 255, n]), kind: n % 2 ? 'a' : 'b', big: '9007199254740993',
                       orders: [{note: `'"\\${n}`}, {note: null}]});
  }
  await attempt('duplicate', () => people.insert({name: 'Ünï 1 😀'}));
  say(await people.find({relations: {orders: true}, order: {id: 'ASC', orders: {id: 'ASC'}}, take: 3}));
  say(await people.createQueryBuilder('p').leftJoin('p.orders', 'o').select('p.name', 'name').addSelect('COUNT(o.id)', 'orders')
    .where('p.balance > :bound', {bound: 1}).groupBy('p.name').orderBy('p.name').getRawMany());
  await attempt('rolled back', () => db.transaction('READ COMMITTED', async (manager) => {
    await manager.update('person', {id: 1}, {active: false});
    await manager.insert('person', {name: 'Ünï 2 😀'});
  }));
  await db.transaction(async (manager) => {
    const person = await manager.findOne('person', {where: {id: 2}, lock: {mode: 'pessimistic_write'}});
    await manager.remove('person', person);
  });
  say(await people.count(), await people.upsert({name: 'Ünï 3 😀', balance: 7}, ['name']));
  say(await db.query('SELECT id, name, active FROM people WHERE id IN (?, ?)', [1, 4]));
  await attempt('missing', () => db.query('SELECT * FROM missing'));
  let digest = '';
  for await (const row of await people.createQueryBuilder('p').orderBy('p.id').stream()) digest = sha256(digest + JSON.stringify(row));
  say('streamed:', digest);
  await db.runMigrations();
  say(await db.query('SELECT id, added FROM people ORDER BY id'));
  await db.undoLastMigration();
  await db.dropDatabase();
  await db.destroy();
});
