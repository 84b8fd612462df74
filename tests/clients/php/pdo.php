<?php
// PDO: emulated and native prepares, buffered and not, rowsets, transactions, persistent connections.
[, $host, $port, $user, $password, $schema, $sqlFolder] = $argv;

function say(...$what): void { echo implode(' ', array_map('shown', $what)), "\n"; }

function shown($value): string {
    if (is_string($value)) {
        return preg_match('//u', $value) && !preg_match('/[\x00-\x1f]/', $value) ? "'$value'" : 'hex ' . bin2hex($value);
    }
    if (is_array($value)) {
        return '[' . implode(', ', array_map(fn($k, $v) => "$k: " . shown($v), array_keys($value), $value)) . ']';
    }
    return var_export($value, true);
}

function attempt(string $title, callable $action): void {
    try {
        say($title, $action());
    } catch (PDOException $error) {
        say($title, $error->getCode(), $error->getMessage(), $error->errorInfo);
    }
}

function show(PDOStatement $result): void {
    for ($n = 0; $n < $result->columnCount(); $n++) {
        $meta = $result->getColumnMeta($n);
        say('  column:', $meta);
    }
    foreach ($result->fetchAll(PDO::FETCH_NUM) as $row) say('  row:', $row);
}

function showAll(PDOStatement $result): void {
    do {
        if ($result->columnCount()) show($result);
        else say('  no rows:', $result->rowCount());
    } while ($result->nextRowset());
}

function sql(string $name): string {
    global $sqlFolder;
    return file_get_contents("$sqlFolder/$name.sql");
}

function connect(array $others = [], string $options = ''): PDO {
    global $host, $port, $user, $password;
    return new PDO("mysql:host=$host;port=$port;charset=utf8mb4$options", $user, $password,
                   $others + [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::MYSQL_ATTR_LOCAL_INFILE => true]);
}

function run(bool $emulated): void {
    global $schema;
    say('emulated prepares:', $emulated);
    $connection = connect([PDO::ATTR_EMULATE_PREPARES => $emulated]);
    $connection->exec("DROP DATABASE IF EXISTS $schema");
    $connection->exec("CREATE DATABASE $schema CHARACTER SET utf8mb4");
    $connection->exec("USE $schema");
    say($connection->getAttribute(PDO::ATTR_SERVER_VERSION));
    $connection->exec("SET time_zone = '+00:00'");
    $connection->exec(sql('types'));
    say('insert:', $connection->exec(sql('rows')), $connection->lastInsertId());
    show($connection->query('SELECT * FROM types ORDER BY id'));
    $insert = $connection->prepare('INSERT INTO types (c_varchar, c_int, c_double, c_blob) VALUES (:text, :number, :double, :blob)');
    for ($n = 1; $n <= 5; $n++) {
        $insert->bindValue(':text', "O'Ünï\\\"$n 😀");
        $insert->bindValue(':number', $n == 3 ? null : -$n, PDO::PARAM_INT);
        $insert->bindValue(':double', $n / 7);
        $insert->bindValue(':blob', implode('', array_map('chr', range(0, 255))), PDO::PARAM_LOB);
        $insert->execute();
        say('prepared insert:', $insert->rowCount(), $connection->lastInsertId());
    }
    $select = $connection->prepare('SELECT id, c_varchar, c_int, c_double, c_blob FROM types WHERE c_int < ? ORDER BY id');
    foreach ([0, -3] as $bound) {
        $select->execute([$bound]);
        show($select);
    }
    attempt('missing', fn() => $connection->prepare('SELECT * FROM missing WHERE a = ?')->execute([1]));
    attempt('too few values', fn() => $select->execute([]));
    $connection->exec('CREATE TABLE numbers (id INT PRIMARY KEY, name VARCHAR(50), filler TEXT)');
    $connection->exec(sql('numbers'));
    $connection->setAttribute(PDO::MYSQL_ATTR_USE_BUFFERED_QUERY, false);
    $stream = $connection->prepare('SELECT id, name, filler FROM numbers WHERE id > ? ORDER BY id');
    $stream->execute([10]);
    for ($count = 0, $digest = ''; $row = $stream->fetch(PDO::FETCH_NUM); $count++) $digest = hash('sha256', $digest . implode('|', $row));
    say('streamed:', $count, $digest);
    $stream->execute([0]);
    $stream->fetch();
    attempt('while unbuffered', fn() => $connection->query('SELECT 1')->fetch());
    $stream->closeCursor();
    $connection->setAttribute(PDO::MYSQL_ATTR_USE_BUFFERED_QUERY, true);
    $connection->beginTransaction();
    $connection->exec("INSERT INTO numbers VALUES (5000, 'rolled back', '')");
    say($connection->inTransaction());
    $connection->rollBack();
    $connection->beginTransaction();
    $connection->exec("INSERT INTO numbers VALUES (5001, 'kept', '')");
    attempt('duplicate', fn() => $connection->exec("INSERT INTO numbers VALUES (5001, 'again', '')"));
    $connection->commit();
    say($connection->inTransaction());
    $connection->exec(sql('procedure'));
    $call = $connection->prepare('CALL two_results(?, @counted)');
    $call->execute([3]);
    showAll($call);
    $call->closeCursor();
    show($connection->query('SELECT @counted'));
    attempt('several statements', function () use ($connection) {
        $several = $connection->query("SELECT 1; SELECT 2, 'x'; UPDATE types SET c_int = 1");
        showAll($several);
        return 'done';
    });
    $connection->exec('CREATE TABLE large (id INT PRIMARY KEY, content LONGBLOB)');
    $pattern = str_repeat(implode('', array_map('chr', range(0, 255))), 17 * 4096);
    $large = $connection->prepare('INSERT INTO large VALUES (1, ?)');
    $large->bindValue(1, $pattern, PDO::PARAM_LOB);
    $large->execute();
    [$length, $sha, $content] = $connection->query('SELECT LENGTH(content), SHA2(content, 256), content FROM large')->fetch(PDO::FETCH_NUM);
    say('large:', $length, $sha, hash('sha256', $content) === $sha);
    file_put_contents('rows.txt', implode('', array_map(fn($n) => "$n\tname $n\tünï 😀\n", range(6000, 6099))));
    attempt('load', fn() => $connection->exec("LOAD DATA LOCAL INFILE 'rows.txt' INTO TABLE numbers CHARACTER SET utf8mb4"));
    show($connection->query('SELECT COUNT(*), MAX(name) FROM numbers'));
    for ($n = 0; $n < 3; $n++) {
        $persistent = connect([PDO::ATTR_PERSISTENT => true, PDO::ATTR_EMULATE_PREPARES => $emulated], ";dbname=$schema");
        say('persistent:', $persistent->query('SELECT DATABASE(), COUNT(*) FROM numbers')->fetch(PDO::FETCH_NUM));
        $persistent = null;
    }
}

attempt('unknown schema', fn() => connect([], ';dbname=missing_schema') ? 'in' : '');
run(true);
run(false);
echo "end of script\n";
