# mysql2: text and prepared, streaming, several results, asynchronous queries.
require 'mysql2'
require 'digest'

$stdout.sync = true
HOST, PORT, USER, PASSWORD, SCHEMA, SQL_FOLDER = ARGV

def say(*what) = puts(what.map { |part| part.is_a?(String) ? part : part.inspect }.join(' '))

def sql(name) = File.read("#{SQL_FOLDER}/#{name}.sql", encoding: 'UTF-8')

def connect(**others)
  Mysql2::Client.new(host: HOST, port: PORT.to_i, username: USER, password: PASSWORD, encoding: 'utf8mb4',
                     database_timezone: :utc, application_timezone: :utc, **others)
end

def attempt(title)
  say(title, '->', yield)
rescue Mysql2::Error => error
  say(title, '->', error.class.name, error.error_number, error.sql_state, error.message)
end

def show(result)
  say('  columns:', result.fields, result.respond_to?(:field_types) ? result.field_types : '')
  result.each(as: :array) { |row| say('  row:', row.map { |value| value.is_a?(BigDecimal) ? value.to_s : value }) }
end


def types(client)
  client.query("SET time_zone = '+00:00'")
  client.query(sql('types'))
  client.query(sql('rows'))
  say('insert:', client.affected_rows, client.last_id, client.query_info, client.warning_count)
  show(client.query('SELECT * FROM types ORDER BY id'))
  show(client.query('SELECT * FROM types ORDER BY id', cast: false))
  # Statements are closed by hand: the driver's garbage collector would close them in the midst of a stream.
  # Without the extremes of TIME: the driver's prepared statements cannot cast them.
  all = client.prepare('SELECT * FROM types WHERE id <= ? ORDER BY id')
  show(all.execute(2))
  all.close
  insert = client.prepare('INSERT INTO types (c_varchar, c_int, c_double, c_blob, c_datetime) VALUES (?, ?, ?, ?, ?)')
  (1..5).each do |n|
    insert.execute("O'Ünï\\\"#{n} 😀", n == 3 ? nil : -n, n / 7.0, (0..255).to_a.pack('C*'), Time.utc(2024, 2, 29, 12, n, 1.5))
    say('prepared insert:', insert.affected_rows, insert.last_id)
  end
  insert.close
  select = client.prepare('SELECT id, c_varchar, c_int, c_double, c_blob, c_datetime FROM types WHERE c_int < ? ORDER BY id')
  [0, -3].each { |bound| show(select.execute(bound)) }
  select.close
  attempt('missing') { client.prepare('SELECT * FROM missing') }
end

def streams(client)
  client.query('CREATE TABLE numbers (id INT PRIMARY KEY, name VARCHAR(50), filler TEXT)')
  client.query(sql('numbers'))
  GC.start
  digest = Digest::SHA256.new
  count = 0
  client.query('SELECT id, name, filler FROM numbers ORDER BY id', stream: true, cache_rows: false).each do |row|
    digest << row.inspect
    count += 1
  end
  say('streamed:', count, digest.hexdigest)
  # Numbers only: the driver's streamed prepared statements cannot take text of an unknown length.
  statement = client.prepare('SELECT id, id * 7 FROM numbers WHERE id > ? ORDER BY id')
  say('prepared stream:', statement.execute(990, stream: true, cache_rows: false, as: :array).to_a)
  statement.close
end

def transactions(client)
  client.query('BEGIN')
  client.query("INSERT INTO numbers VALUES (5000, 'rolled back', '')")
  client.query('ROLLBACK')
  client.query('START TRANSACTION')
  client.query("INSERT INTO numbers VALUES (5001, 'kept', '')")
  attempt('duplicate') { client.query("INSERT INTO numbers VALUES (5001, 'again', '')") }
  client.query('COMMIT')
end

def large_row(client)
  client.query('CREATE TABLE large (id INT PRIMARY KEY, content LONGBLOB)')
  insert = client.prepare('INSERT INTO large VALUES (1, ?)')
  insert.execute((0..255).to_a.pack('C*') * (17 * 4096))
  insert.close
  length, sha, content = client.query('SELECT LENGTH(content), SHA2(content, 256), content FROM large', as: :array).first
  say('large:', length, sha, Digest::SHA256.hexdigest(content) == sha)
end

attempt('wrong password') { connect(password: 'wrong') }
attempt('unknown schema') { connect(database: 'missing_schema') }
client = connect(flags: Mysql2::Client::MULTI_STATEMENTS, local_infile: true)
say(client.server_info, client.encoding)
client.query("DROP DATABASE IF EXISTS #{SCHEMA}")
client.query("CREATE DATABASE #{SCHEMA} CHARACTER SET utf8mb4")
client.select_db(SCHEMA)
types(client)
streams(client)
transactions(client)
large_row(client)
client.query(sql('procedure'))
client.query("SELECT 1; SELECT 2 AS two, 'x'; UPDATE types SET c_int = 1; CALL two_results(3, @counted); SELECT @counted")
  .then { |first| show(first) }
while client.next_result
  result = client.store_result
  result ? show(result) : say('  no rows:', client.affected_rows)
end
attempt('failure among several') do
  client.query('SELECT 1; SELECT * FROM missing; SELECT 3')
  client.next_result
end
['SELEKT 1', 'INSERT INTO numbers VALUES (1)', 'USE missing_schema',
 'SELECT id, (SELECT l.id FROM numbers l WHERE l.id <= n.id) FROM numbers n ORDER BY id'].each do |statement|
  attempt(statement) { client.query(statement) }
end
File.write('rows.txt', (6000..6099).map { |n| "#{n}\tname #{n}\tünï 😀\n" }.join)
attempt('load') { client.query("LOAD DATA LOCAL INFILE 'rows.txt' INTO TABLE numbers CHARACTER SET utf8mb4") }
attempt('file is missing') { client.query("LOAD DATA LOCAL INFILE 'none.txt' INTO TABLE numbers") }
client.query('SELECT COUNT(*), MAX(name) FROM numbers', async: true)
show(client.async_result)
say('ping:', client.ping)
client.close
say('end of script')
