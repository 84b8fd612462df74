// sequelize: models, associations, managed transactions, introspection (over mysql2).
'use strict';
const {DataTypes, Op, Sequelize} = require('sequelize');
const {host, port, user, password, schema, say, attempt, main} = require('./steps');

const plain = (rows) => [].concat(rows).map((row) => row && row.get({plain: true}));

main(async () => {
  const options = {host, port, dialect: 'mysql', timezone: '+00:00', pool: {max: 3, min: 0},
                   define: {charset: 'utf8mb4', timestamps: false}, logging: (text) => say('statement:', text.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'UUID'))};
  const admin = new Sequelize('', user, password, {...options, logging: false});
  await admin.query(`DROP DATABASE IF EXISTS ${schema}`);
  await admin.query(`CREATE DATABASE ${schema} CHARACTER SET utf8mb4`);
  await admin.close();
  const db = new Sequelize(schema, user, password, options);
  const Person = db.define('person', {
    name: {type: DataTypes.STRING(100), unique: true, allowNull: false}, balance: DataTypes.DECIMAL(12, 4), ratio: DataTypes.DOUBLE,
    settings: DataTypes.JSON, seen: DataTypes.DATE(6), born: DataTypes.DATEONLY, picture: DataTypes.BLOB, kind: DataTypes.ENUM('a', 'b'),
    big: DataTypes.BIGINT, active: {type: DataTypes.BOOLEAN, defaultValue: true}, place: DataTypes.GEOMETRY('POINT')});
  const Order = db.define('order', {note: DataTypes.TEXT, number: DataTypes.INTEGER});
  Person.hasMany(Order, {onDelete: 'CASCADE'});
  Order.belongsTo(Person);
  await db.sync({force: true});
  for (let n = 0; n < 5; n++) {
    const person = await Person.create({name: `Ünï ${n} 😀`, balance: n * 1.25, ratio: n / 7, settings: {n, list: [1, null]}, seen: new Date(Date.UTC(2024, 1, 29, 12, n)),
      born: '1990-01-01', picture: Buffer.from([0, 1, 254, 255, n]), kind: n % 2 ? 'a' : 'b', big: '9007199254740993',
      place: {type: 'Point', coordinates: [n, -n]}});
    await person.createOrder({note: `'"\\${n}`, number: n});
    await person.createOrder({number: n * 2});
  }
  await Person.bulkCreate(Array.from({length: 10}, (_, n) => ({name: `bulk ${n}`})));
  await attempt('duplicate', () => Person.create({name: 'Ünï 1 😀'}));
  say(plain(await Person.findAll({include: {model: Order, separate: false}, order: ['id', [Order, 'id', 'ASC']], where: {id: {[Op.lt]: 4}}})));
  say(await Person.findAndCountAll({where: {name: {[Op.like]: 'bulk%'}}, limit: 2, order: ['id'], raw: true}));
  say(await Order.sum('number'), await Person.max('balance'), await Person.count({where: {'settings.n': 2}}));
  await attempt('rolled back', () => db.transaction({isolationLevel: 'READ COMMITTED'}, async (transaction) => {
    await Person.update({active: false}, {where: {}, transaction});
    await Person.create({name: 'bulk 3'}, {transaction});
  }));
  await db.transaction(async (transaction) => {
    const person = await Person.findByPk(2, {lock: transaction.LOCK.UPDATE, transaction});
    await person.increment('balance', {by: 10, transaction});
    await person.destroy({transaction});
  });
  say(await Person.upsert({name: 'bulk 1', balance: 5}), await Order.count());
  say(await db.query('SELECT id, name FROM people WHERE id IN (:ids)', {replacements: {ids: [1, 3]}, type: Sequelize.QueryTypes.SELECT}));
  say(await db.query('SELECT id FROM people WHERE id = $1', {bind: [3], type: Sequelize.QueryTypes.SELECT}));
  await attempt('missing', () => db.query('SELECT * FROM missing'));
  const tables = db.getQueryInterface();
  say(await tables.describeTable('people'), await tables.showIndex('orders'));
  await tables.addColumn('people', 'added', {type: DataTypes.STRING, defaultValue: 'x'});
  await tables.renameColumn('people', 'added', 'renamed');
  await tables.changeColumn('people', 'renamed', {type: DataTypes.STRING(50)});
  say((await tables.describeTable('people')).renamed);
  await db.drop();
  await db.close();
});
