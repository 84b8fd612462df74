<?php
// mysqli: text and prepared, multi_query, MYSQLI_USE_RESULT, cursors, asynchronous queries, persistent connections
// (COM_CHANGE_USER), the empty password.
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
[, $host, $port, $user, $password, $schema, $sqlFolder] = $argv;

function say(...$what): void { echo implode(' ', array_map('shown', $what)), "\n"; }

function shown($value): string {
    if (is_string($value)) {
        return preg_match('//u', $value) && !preg_match('/[\x00-\x1f]/', $value) ? $value : 'hex ' . bin2hex($value);
    }
    if (is_array($value)) {
        return '[' . implode(', ', array_map(fn($k, $v) => "$k: " . shown($v), array_keys($value), $value)) . ']';
    }
    return var_export($value, true);
}

function attempt(string $title, callable $action): void {
    try {
        say($title, '->', $action());
    } catch (mysqli_sql_exception $error) {
        say($title, '->', $error->getCode(), $error->getSqlState(), $error->getMessage());
    }
}

function show(mysqli_result $result): void {
    foreach ($result->fetch_fields() as $field) {
        // max_length is known only after the whole result has been stored.
        unset($field->max_length);
        say('  column:', (array)$field);
    }
    while ($row = $result->fetch_row()) say('  row:', $row);
    $result->free();
}

function showAll(mysqli $connection): void {
    do {
        if ($result = $connection->store_result()) show($result);
        else say('  no rows:', $connection->affected_rows, $connection->info);
    } while ($connection->more_results() && $connection->next_result());
}

function sql(string $name): string {
    global $sqlFolder;
    return file_get_contents("$sqlFolder/$name.sql");
}

function types(mysqli $connection): void {
    $connection->query("SET time_zone = '+00:00'");
    $connection->query(sql('types'));
    $connection->query(sql('rows'));
    say('insert:', $connection->affected_rows, $connection->insert_id, $connection->info, $connection->warning_count);
    show($connection->query('SELECT * FROM types ORDER BY id'));
    $all = $connection->prepare('SELECT * FROM types WHERE id >= ? ORDER BY id');
    foreach ([1, 4] as $bound) {
        $all->execute([$bound]);
        show($all->get_result());
    }
    $insert = $connection->prepare('INSERT INTO types (c_varchar, c_int, c_double, c_blob) VALUES (?, ?, ?, ?)');
    $blob = null;
    for ($n = 1; $n <= 5; $n++) {
        $text = "O'Ünï\\\"$n 😀";
        $number = $n == 3 ? null : -$n;
        $double = $n / 7;
        $insert->bind_param('sidb', $text, $number, $double, $blob);
        for ($part = 0; $part < $n; $part++) $insert->send_long_data(3, str_repeat("$part\0", 100));
        $insert->execute();
        say('prepared insert:', $insert->affected_rows, $insert->insert_id);
    }
    attempt('prepared failure', fn() => $connection->prepare('SELECT * FROM missing'));
    $insert->close();
    show($connection->query('SELECT id, c_varchar, c_int, c_double, c_blob FROM types WHERE id > 4 ORDER BY id'));
}

function cursorsAndStreams(mysqli $connection): void {
    $connection->query('CREATE TABLE numbers (id INT PRIMARY KEY, name VARCHAR(50), filler TEXT)');
    $connection->query(sql('numbers'));
    $connection->real_query('SELECT id, name, filler FROM numbers ORDER BY id');
    $stream = $connection->use_result();
    for ($count = 0, $digest = ''; $row = $stream->fetch_row(); $count++) $digest = hash('sha256', $digest . implode('|', $row));
    $stream->free();
    say('streamed:', $count, $digest);
    $cursor = $connection->prepare('SELECT id, name, filler FROM numbers WHERE id <= ? ORDER BY id');
    $cursor->attr_set(MYSQLI_STMT_ATTR_CURSOR_TYPE, MYSQLI_CURSOR_TYPE_READ_ONLY);
    $cursor->attr_set(MYSQLI_STMT_ATTR_PREFETCH_ROWS, 1);
    $bound = 500;
    $cursor->bind_param('i', $bound);
    $cursor->execute();
    $cursor->bind_result($id, $name, $filler);
    for ($count = 0, $digest = ''; $cursor->fetch(); $count++) {
        $digest = hash('sha256', "$digest$id|$name|$filler");
        // Other statements go in between, while the cursor stays open.
        if ($count % 100 == 0) say('between:', $connection->query("SELECT $count + 1")->fetch_row());
    }
    say('by cursor:', $count, $digest);
    $cursor->execute();
    $cursor->fetch();
    $cursor->reset();
    $cursor->close();
}

function largeRow(mysqli $connection): void {
    $connection->query('CREATE TABLE large (id INT PRIMARY KEY, content LONGBLOB)');
    $pattern = str_repeat(implode('', array_map('chr', range(0, 255))), 17 * 4096);
    $connection->prepare('INSERT INTO large VALUES (1, ?)')->execute([$pattern]);
    $select = $connection->prepare('SELECT LENGTH(content), SHA2(content, 256), content FROM large');
    $select->execute();
    [$length, $sha, $content] = $select->get_result()->fetch_row();
    say('large:', $length, $sha, hash('sha256', $content) === $sha);
}

function asynchronous(array $login, string $schema): void {
    $connections = [];
    for ($n = 0; $n < 3; $n++) {
        $connections[$n] = new mysqli(...$login);
        $connections[$n]->query("SELECT $n, SLEEP(0.05)", MYSQLI_ASYNC);
    }
    $answers = [];
    while (count($answers) < 3) {
        $ready = $failed = $refused = array_values(array_diff_key($connections, $answers));
        mysqli_poll($ready, $failed, $refused, 5);
        foreach ($ready as $connection) {
            $answers[array_search($connection, $connections, true)] = $connection->reap_async_query()->fetch_row();
        }
    }
    ksort($answers);
    say('asynchronous:', $answers);
}

function persistent(array $login, string $schema): void {
    [$host, $user, $password, , $port] = $login;
    for ($n = 0; $n < 3; $n++) {
        // Taken up again by COM_CHANGE_USER: nothing of the session before may be left.
        $connection = new mysqli("p:$host", $user, $password, $schema, $port);
        say('persistent:', $connection->query('SELECT @mine, DATABASE(), @@autocommit')->fetch_row());
        $connection->query('SET @mine = 1, autocommit = 0');
        $connection->close();
    }
}

$login = [$host, $user, $password, '', (int)$port];
attempt('wrong password', fn() => new mysqli($host, $user, 'wrong', '', (int)$port) ? 'in' : '');
attempt('unknown schema', fn() => new mysqli($host, $user, $password, 'missing_schema', (int)$port) ? 'in' : '');
$root = new mysqli($host, 'root', '', '', (int)$port);
say('empty password:', $root->query('SELECT CURRENT_USER()')->fetch_row());
$root->close();
$connection = mysqli_init();
$connection->options(MYSQLI_OPT_LOCAL_INFILE, true);
$connection->real_connect(...$login);
$connection->set_charset('utf8mb4');
say($connection->server_info, $connection->server_version, $connection->protocol_version, $connection->character_set_name());
$connection->query("DROP DATABASE IF EXISTS $schema");
$connection->query("CREATE DATABASE $schema CHARACTER SET utf8mb4");
$connection->select_db($schema);
types($connection);
cursorsAndStreams($connection);
largeRow($connection);
$connection->query(sql('procedure'));
$connection->multi_query("SELECT 1; SELECT 2 AS two, 'x'; UPDATE types SET c_int = 1; CALL two_results(3, @counted); SELECT @counted");
showAll($connection);
attempt('failure among several', function () use ($connection) {
    $connection->multi_query('SELECT 1; SELECT * FROM missing; SELECT 3');
    showAll($connection);
});
$call = $connection->prepare('CALL two_results(?, @counted)');
$call->execute([2]);
do {
    if ($result = $call->get_result()) show($result);
} while ($call->more_results() && $call->next_result());
$call->close();
$connection->begin_transaction(MYSQLI_TRANS_START_READ_WRITE);
$connection->query("INSERT INTO numbers VALUES (5000, 'rolled back', '')");
$connection->rollback();
$connection->autocommit(false);
$connection->query("INSERT INTO numbers VALUES (5001, 'kept', '')");
$connection->savepoint('here');
attempt('duplicate', fn() => $connection->query("INSERT INTO numbers VALUES (5001, 'again', '')"));
$connection->commit();
$connection->autocommit(true);
foreach (['SELEKT 1', 'INSERT INTO numbers VALUES (1)', 'USE missing_schema',
          'SELECT id, (SELECT l.id FROM numbers l WHERE l.id <= n.id) FROM numbers n ORDER BY id'] as $statement) {
    attempt($statement, fn() => $connection->query($statement));
}
file_put_contents('rows.txt', implode('', array_map(fn($n) => "$n\tname $n\tünï 😀\n", range(6000, 6099))));
attempt('load', fn() => $connection->query("LOAD DATA LOCAL INFILE 'rows.txt' INTO TABLE numbers CHARACTER SET utf8mb4"));
say($connection->info);
attempt('file is missing', fn() => @$connection->query("LOAD DATA LOCAL INFILE 'none.txt' INTO TABLE numbers"));
attempt('change user', fn() => $connection->change_user($user, $password, $schema));
say($connection->query('SELECT DATABASE(), COUNT(*), MAX(name) FROM numbers')->fetch_row(), strlen($connection->stat()) > 0);
attempt('change to an unknown user', fn() => $connection->change_user('nobody', 'x', $schema));
asynchronous($login, $schema);
persistent($login, $schema);
echo "end of script\n";
