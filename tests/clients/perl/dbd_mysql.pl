# DBD::mysql: prepares made by the client and by the server, mysql_use_result, several statements in one, transactions.
use strict;
use warnings;
use utf8;
use DBI;
use Encode ();
use Digest::SHA qw(sha256_hex);

binmode STDOUT, ':utf8';
$| = 1;
my ($host, $port, $user, $password, $schema, $sql_folder) = @ARGV;
my $dsn = "DBI:mysql:host=$host;port=$port";
my %settings = (RaiseError => 1, PrintError => 0, AutoCommit => 1, mysql_enable_utf8mb4 => 1);

sub shared_sql {
    my ($name) = @_;
    open my $file, '<:encoding(UTF-8)', "$sql_folder/$name.sql" or die "$sql_folder/$name.sql: $!";
    local $/;
    return <$file>;
}

sub shown {
    return join ', ', map { !defined $_ ? 'NULL' : /[^\x20-\x7e\x{a0}-\x{10ffff}]/ ? 'hex ' . unpack('H*', /[^\x00-\xff]/ ? Encode::encode_utf8($_) : $_) : "'$_'" } @_;
}

sub attempt {
    my ($title, $action) = @_;
    my $result = eval { $action->() };
    print "$title -> ", $@ ? "error $DBI::err $DBI::state $DBI::errstr" : shown($result), "\n";
}

sub show {
    my ($statement) = @_;
    print '  columns: ', shown(@{$statement->{NAME}}), ' types ', shown(@{$statement->{mysql_type_name}}),
        ' nullable ', shown(@{$statement->{NULLABLE}}), ' lengths ', shown(@{$statement->{mysql_length}}), "\n";
    while (my $row = $statement->fetchrow_arrayref) {
        print '  row: ', shown(@$row), "\n";
    }
}

sub types {
    my ($connection) = @_;
    $connection->do("SET time_zone = '+00:00'");
    $connection->do("DROP TABLE IF EXISTS types");
    $connection->do(shared_sql('types'));
    print 'insert: ', $connection->do(shared_sql('rows')), ' ', $connection->{mysql_info}, "\n";
    my $all = $connection->prepare('SELECT * FROM types ORDER BY id');
    $all->execute;
    show($all);
    my $insert = $connection->prepare('INSERT INTO types (c_varchar, c_int, c_double, c_varbinary) VALUES (?, ?, ?, ?)');
    $insert->bind_param(4, pack('C*', 0 .. 255), DBI::SQL_BLOB);
    for my $n (1 .. 5) {
        $insert->bind_param(1, "O'Ünï\\\"$n 😀");
        $insert->bind_param(2, $n == 3 ? undef : -$n, DBI::SQL_INTEGER);
        $insert->bind_param(3, $n / 7, DBI::SQL_DOUBLE);
        print 'insert with parameters: ', $insert->execute, ' ', $insert->{mysql_insertid}, "\n";
    }
    my $select = $connection->prepare('SELECT id, c_varchar, c_int, c_double, c_varbinary FROM types WHERE c_int < ? OR c_int IS NULL ORDER BY id LIMIT ?');
    for my $bound (0, -3) {
        $select->bind_param(1, $bound, DBI::SQL_INTEGER);
        $select->bind_param(2, 4, DBI::SQL_INTEGER);
        $select->execute;
        show($select);
    }
}

sub run {
    my ($server_prepares) = @_;
    print "server-side prepares: $server_prepares\n";
    my $connection = DBI->connect("$dsn;mysql_server_prepare=$server_prepares;mysql_multi_statements=1;mysql_local_infile=1", $user, $password, \%settings);
    $connection->do("DROP DATABASE IF EXISTS $schema");
    $connection->do("CREATE DATABASE $schema CHARACTER SET utf8mb4");
    $connection->do("USE $schema");
    print $connection->{mysql_serverinfo}, ' ', $connection->{mysql_protoinfo}, "\n";
    types($connection);
    $connection->do('CREATE TABLE numbers (id INT PRIMARY KEY, name VARCHAR(50), filler TEXT)');
    $connection->do(shared_sql('numbers'));
    $connection->{AutoCommit} = 0;
    $connection->do("INSERT INTO numbers VALUES (5000, 'rolled back', '')");
    $connection->rollback;
    $connection->do("INSERT INTO numbers VALUES (5001, 'kept', '')");
    attempt('duplicate', sub { $connection->do("INSERT INTO numbers VALUES (5001, 'again', '')") });
    $connection->commit;
    $connection->{AutoCommit} = 1;
    for my $statement ('SELEKT 1', 'SELECT * FROM missing', 'INSERT INTO numbers VALUES (1)') {
        attempt($statement, sub { $connection->do($statement) });
    }
    attempt('late failure', sub { $connection->selectall_arrayref('SELECT id, (SELECT l.id FROM numbers l WHERE l.id <= n.id) FROM numbers n ORDER BY id') });
    # As text: left half-way, a streamed statement of the server's puts the driver out of step with the server.
    my $stream = $connection->prepare('SELECT id, name, filler FROM numbers ORDER BY id', {mysql_use_result => 1, mysql_server_prepare => 0});
    $stream->execute;
    my ($count, $digest) = (0, '');
    while (my @row = $stream->fetchrow_array) {
        $count++;
        $digest = sha256_hex($digest . join('|', map { Encode::encode_utf8($_) } @row));
    }
    print "streamed: $count $digest\n";
    $stream->execute;
    $stream->fetchrow_array for 1 .. 3;
    $stream->finish;
    my $pattern = pack('C*', 0 .. 255) x (17 * 4096);
    $connection->do('CREATE TABLE large (id INT PRIMARY KEY, content LONGBLOB)');
    my $large = $connection->prepare('INSERT INTO large VALUES (1, ?)');
    $large->bind_param(1, $pattern, DBI::SQL_BLOB);
    $large->execute;
    $connection->{LongReadLen} = 20_000_000;
    my ($length, $sha, $content) = $connection->selectrow_array('SELECT LENGTH(content), SHA2(content, 256), content FROM large');
    print "large: $length $sha ", (sha256_hex($content) eq $sha ? 'equal' : 'different'), "\n";
    several_results($connection);
    open my $file, '>:encoding(UTF-8)', 'rows.txt' or die $!;
    print $file "$_\tname $_\tünï 😀\n" for 6000 .. 6099;
    close $file;
    attempt('load', sub { $connection->do("LOAD DATA LOCAL INFILE 'rows.txt' INTO TABLE numbers CHARACTER SET utf8mb4") });
    attempt('file is missing', sub { $connection->do("LOAD DATA LOCAL INFILE 'none.txt' INTO TABLE numbers") });
    print 'ping: ', $connection->ping, ' tables: ', shown(map { $_->[2] } @{$connection->table_info(undef, $schema)->fetchall_arrayref}), "\n";
    my $columns = $connection->column_info(undef, $schema, 'numbers', '%');
    print '  column: ', shown(@{$_}{qw(COLUMN_NAME TYPE_NAME COLUMN_SIZE NULLABLE)}), "\n" for @{$columns->fetchall_arrayref({})};
    $connection->disconnect;
}

sub several_results {
    my ($connection) = @_;
    $connection->do(shared_sql('procedure'));
    # Prepares made by the server cannot hold several statements; DBD::mysql then sends them as text.
    my $statement = $connection->prepare('CALL two_results(3, @counted)', {mysql_server_prepare => 0});
    $statement->execute;
    do {
        if ($statement->{NUM_OF_FIELDS}) { show($statement) } else { print '  no rows: ', $statement->rows, "\n" }
    } while ($statement->more_results);
    show(do { my $counted = $connection->prepare('SELECT @counted'); $counted->execute; $counted });
    my $several = $connection->prepare("SELECT 1; SELECT 2, 'x'; UPDATE types SET c_int = 1", {mysql_server_prepare => 0});
    $several->execute;
    do {
        if ($several->{NUM_OF_FIELDS}) { show($several) } else { print '  no rows: ', $several->rows, "\n" }
    } while ($several->more_results);
}

print "DBI $DBI::VERSION\n";
attempt('wrong password', sub { DBI->connect($dsn, $user, 'wrong', \%settings) });
attempt('unknown schema', sub { DBI->connect("$dsn;database=missing_schema", $user, $password, \%settings) });
run(0);
run(1);
print "end of script\n";
