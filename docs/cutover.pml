/*
 * The cut-over of migration/cutover as a Promela model. docs/cutover-model.md explains it; scripts/model checks it.
 *
 * The steps of the coordinator bear the names that the code reports: names, close, drain, lock, position, apply,
 * rename, open. A table's content is the set of acknowledged writes that it holds, a bit for each: a write that is
 * missing from the table that bears the name is a write lost.
 *
 * SENTRY: two sessions change places; otherwise RENAME under LOCK TABLES.
 * GATE=n: n clients (1 or 2) come through the proxy, whose gate has two shards. Without it there are direct clients only, which
 * can do whatever clients behind a gate can do, so that no gate's doing is needed for what is found then to be right.
 * DIRECT=n: n direct clients; IDLE: one may stay in its transaction for ever. SNAPSHOT: a client reads by an old view.
 * ATTEMPTS; FAULTS: connections of the engine that may be lost; CRASHES: ends of its process, at any place.
 * GRACE: nothing fails, and the deadline comes only when nobody can go on otherwise; then it must not come.
 * What begins with WITHOUT_ or turns an order round takes one rule away: scripts/model expects that this is found.
 */

#ifndef ATTEMPTS
#define ATTEMPTS 2
#endif
#ifndef FAULTS
#define FAULTS 1
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
/* Without a gate nothing else looks at the deadline: it may have come whenever somebody asks. */
#ifdef GATE
#define EXPIRED deadline
#else
#define EXPIRED true
#endif
#ifdef GRACE
#define GRACEFUL(what) assert(what)
#define the_deadline_came deadline
#else
#define GRACEFUL(what) skip
#endif

/* ---- The server's tables: which table bears which name, and what each holds. */

#define NONE 0
#define ORIGINAL 1
#define GHOST 2
#define SENTRY_TABLE 3

byte name_t = ORIGINAL;
byte name_gho = GHOST; /* _t_gho */
byte name_del = NONE;  /* _t_del */
byte name_swap_gho = NONE; /* t~gho, only in SENTRY */
byte name_swap_del = NONE; /* t~old, only in SENTRY */

byte in_original = 0; /* writes that are visible in it */
byte in_ghost = 0;
byte acknowledged = 0; /* writes whose client has its OK */

/* ---- Metadata locks on t. The engine's own tables are locked and unlocked together with it. */

#define NOBODY 0
#define RENAMER 10
byte owner = NOBODY;  /* 1 + number of a lock session that has LOCK TABLES ... WRITE; RENAMER */
byte readers = 0;     /* sessions with a shared lock, until their transaction ends */
bool lock_waits[ATTEMPTS]; /* LOCK TABLES in the queue */
byte queued_renames = 0; /* RENAME in the queue, for t itself */
byte queued_locks = 0;

/* A pending exclusive lock goes before everybody who comes later. */
#define t_is_free (owner == NOBODY && queued_locks == 0 && queued_renames == 0)

/* ---- The binary log: events are there before the engine's commit is visible; the stream delays them. */

chan stream = [4] of { byte };
byte logged = 0;    /* position of the server */
byte read_to = 0;   /* position of the stream reader */
byte pending = 0;   /* keys to apply: work_ledger's delta set */
byte batch = 0;     /* keys that an apply worker has taken */
bool parked = false;
bool outcome_unknown = false; /* the rename was sent, and nobody has answered or been asked */

/* ---- The gate: a shard per I/O thread. */

bool closed[2];
bool deadline = false;
bool sealed = false;
bool announced = false; /* the rename is about to be sent: until told, a gate that has opened by itself presumes a swap */
bool told_swapped = false; /* sessions with a view from before are refused */
bool once_announced = false; /* before that nobody may be refused */
#define CLIENTS 3
bool held[CLIENTS];
bool in_use[CLIENTS]; /* a statement in flight or a transaction that has touched t */

/* ---- The engine's connections. */

mtype = { LOCK, RENAME_TO_OLD, RENAME, DROP_SENTRY, UNLOCK, ok, killed, refused, lost };
chan command[ATTEMPTS] = [1] of { mtype };
chan answer[ATTEMPTS] = [1] of { mtype };
bool alive[ATTEMPTS];     /* the session exists on the server */
bool gone[ATTEMPTS];      /* its client has gone; the server sees it when the session is idle */
bool kill_query[ATTEMPTS];
bool kill_connection[ATTEMPTS];
bool renaming[ATTEMPTS]; /* RENAME under LOCK TABLES is in the process list */

#ifdef SENTRY
bool rename_sent[ATTEMPTS];
byte rename_state[ATTEMPTS]; /* 0: not begun, 1: in the process list, 2: done, 3: failed */
bool rename_queued[ATTEMPTS]; /* it waits for t */
bool kill_rename[ATTEMPTS];
#define is_renaming(n) (rename_state[n] == 1)
#if ATTEMPTS > 1
#define a_rename_is_pending (is_renaming(0) || is_renaming(1))
#define kill_pending_renames kill_rename[0] = is_renaming(0); kill_rename[1] = is_renaming(1)
#else
#define a_rename_is_pending is_renaming(0)
#define kill_pending_renames kill_rename[0] = is_renaming(0)
#endif
#endif

byte faults = FAULTS;
byte crashes = CRASHES;
mtype = { working, says_swapped, says_not_swapped };
mtype belief = working;

#define content_of_t (name_t == ORIGINAL -> in_original : in_ghost)
#define no_write_lost ((acknowledged & (255 - content_of_t)) == 0)

/* ==== The server's side of client statements ==== */

inline take_shared_lock() {
    if
    :: atomic { t_is_free -> readers++ }
    fi;
    assert(name_t != NONE) /* "table does not exist" would be a client's error */
}

inline commit(writes) {
    atomic { stream!writes; logged++ };
    /* Between log and engine. */
    atomic {
        if
        :: name_t == ORIGINAL -> in_original = in_original | writes
        :: name_t == GHOST -> in_ghost = in_ghost | writes
        :: else -> assert(false)
        fi
    };
    atomic {
        readers--;
        acknowledged = acknowledged | writes;
        assert(no_write_lost)
    }
}

/* ==== Clients ==== */

inline pass_gate(me, shard) {
    atomic {
        if
#ifndef WITHOUT_GATE
        :: closed[shard] -> held[me] = true
#else
        :: closed[shard] -> in_use[me] = true
#endif
        :: !closed[shard] -> in_use[me] = true
        fi
    };
    if
    :: held[me] -> atomic { !closed[shard] -> held[me] = false; in_use[me] = true }
    :: else -> skip
    fi;
    /* Whoever has passed must not meet a lock of ours, unless the deadline let it pass. */
    GRACEFUL(t_is_free)
}

#ifdef GATE
active proctype autocommit_client() {
    pass_gate(0, 0);
    take_shared_lock();
    commit(1);
    in_use[0] = false
}

#if GATE > 1
active proctype transaction_client() {
    pass_gate(1, 1); /* BEGIN holds nothing: the first statement may wait */
    take_shared_lock();
#ifdef HOLD_TRANSACTIONS
    if
    :: atomic { closed[1] -> held[1] = true }; atomic { !closed[1] -> held[1] = false }
    :: !closed[1]
    fi;
#endif
    commit(2); /* its second statement has the lock already */
    in_use[1] = false
}
#endif
#endif

/* Clients that no gate has seen. */
#ifdef DIRECT
proctype direct_client(byte writes) {
    take_shared_lock();
#ifdef IDLE
    if
    :: goto idle
    :: true
    fi;
#endif
    commit(writes);
    goto done;
idle:
end_idle:
    false;
done:
    skip
}
#endif

#ifdef SNAPSHOT
/* REPEATABLE READ: it takes its view, of all tables, before it first uses t. */
active proctype snapshot_reader() {
    byte view_original, view_ghost, view_acknowledged;
    bool view_is_old;
    atomic {
        !(sealed && closed[0]) ->
        view_original = in_original; view_ghost = in_ghost; view_acknowledged = acknowledged;
        view_is_old = !told_swapped
    };
    atomic {
#ifdef WITHOUT_SEAL
        !closed[0] ->
#else
        !closed[0] && !sealed -> /* undecided until it is told how the attempt has ended */
#endif
        in_use[2] = true
    };
#ifndef WITHOUT_1412
    if
    :: view_is_old && told_swapped -> assert(once_announced); goto refused_1412
    :: else -> skip
    fi;
#endif
    take_shared_lock();
    atomic {
        if
        :: name_t == ORIGINAL -> assert((view_acknowledged & (255 - view_original)) == 0)
        :: else -> assert((view_acknowledged & (255 - view_ghost)) == 0)
        fi;
        readers--
    };
refused_1412:
    in_use[2] = false
}
#endif

#ifdef DIRECT
init {
    atomic {
        run direct_client(4);
        if
        :: DIRECT > 1 -> run direct_client(8)
        :: else -> skip
        fi
    }
}
#endif

/* ==== The binary-log stream and the applier ==== */

active proctype stream_reader() {
    byte keys;
end:
    do
    :: atomic { stream?keys -> pending = pending | keys; read_to++ }
    od
}

active proctype apply_worker() {
end:
    do
    :: atomic { !parked && pending != 0 -> batch = pending; pending = 0 };
       /* Visible before read: WAIT_FOR_EXECUTED_GTID_SET, or a locking read. Then one transaction deletes these keys
        * from the ghost and inserts them again from the original; it waits for locks on both. */
       atomic {
#ifdef WITHOUT_VISIBLE
           t_is_free ->
#else
           t_is_free && (batch & (255 - content_of_t)) == 0 ->
#endif
           assert(!outcome_unknown); /* nothing writes to the ghost before the server was asked */
           if
           :: name_gho == GHOST && name_t == ORIGINAL ->
              in_ghost = (in_ghost & (255 - batch)) | (in_original & batch)
           :: else /* no such table: this batch is lost */
           fi;
           batch = 0
       }
    od
}

/* ==== The server's side of the engine's connections ==== */

inline release_locks(me) {
    if
    :: owner == 1 + me -> owner = NOBODY
    :: else -> skip
    fi
}

inline reply(me, what) {
    if
    :: gone[me]
    :: else -> answer[me]!what
    fi
}

proctype lock_session(byte me) {
    mtype unread;
end:
    do
    :: atomic { command[me]?LOCK -> lock_waits[me] = true; queued_locks++ };
       if
       :: atomic {
              owner == NOBODY && readers == 0 && queued_renames == 0 ->
              owner = 1 + me; lock_waits[me] = false; queued_locks--; reply(me, ok)
          }
       :: atomic {
              kill_query[me] || kill_connection[me] ->
              kill_query[me] = false; lock_waits[me] = false; queued_locks--; reply(me, killed)
          }
       fi
    :: atomic { command[me]?RENAME -> renaming[me] = true };
       if
       :: atomic {
              kill_query[me] || kill_connection[me] ->
              kill_query[me] = false; renaming[me] = false; reply(me, killed)
          }
       :: atomic {
#ifdef WITHOUT_LOCK
              name_del == NONE && name_gho == GHOST && owner == NOBODY && readers == 0 ->
#else
              name_del == NONE && name_gho == GHOST && owner == 1 + me ->
#endif
              name_del = ORIGINAL; name_t = GHOST; name_gho = NONE; renaming[me] = false;
              assert(no_write_lost);
              reply(me, ok)
          }
       fi
#ifdef TWO_RENAMES
    :: atomic {
           command[me]?RENAME_TO_OLD ->
           name_del = ORIGINAL; name_t = NONE; owner = NOBODY
       };
       atomic { name_t = GHOST; name_gho = NONE; reply(me, ok) }
#endif
#ifdef SENTRY
    :: atomic {
           command[me]?DROP_SENTRY ->
           if
           :: owner == 1 + me && name_swap_del == SENTRY_TABLE -> name_swap_del = NONE; reply(me, ok)
           :: else -> reply(me, refused)
           fi
       }
#endif
    :: atomic { command[me]?UNLOCK -> release_locks(me); reply(me, ok) }
    /* An idle session ends: its client has gone, it was killed, or wait_timeout came. */
    :: atomic {
           alive[me] && (kill_connection[me] || (gone[me] && empty(command[me])) || faults > 0) ->
           if
           :: kill_connection[me]
           :: gone[me] && empty(command[me])
           :: faults > 0 -> faults--
           fi;
           release_locks(me);
           alive[me] = false;
           if
           :: nempty(command[me]) -> command[me]?unread; reply(me, lost)
           :: empty(command[me])
           fi;
           break
       }
    od
}

#ifdef SENTRY
/* The session that renames. It takes its exclusive locks in the order of the names: t, t~gho, t~old. */
proctype rename_session(byte me) {
end:
    rename_sent[me];
    atomic {
        rename_state[me] = 1;
#ifndef NAMES_NOT_BEHIND
        rename_queued[me] = true; queued_renames++
#endif
    };
#ifdef NAMES_NOT_BEHIND
    /* _t_del comes first: while the lock's holder has that one, nothing stands in the queue for t. */
    if
    :: owner == NOBODY
    :: kill_rename[me] -> goto ended_early
    fi;
    atomic { rename_queued[me] = true; queued_renames++ };
#endif
    if
    :: atomic { owner == NOBODY && readers == 0 -> rename_queued[me] = false; queued_renames--; owner = RENAMER }
    :: atomic { kill_rename[me] -> rename_queued[me] = false; queued_renames-- }; goto ended_early
    :: atomic { name_swap_del == NONE -> rename_queued[me] = false; queued_renames-- }; goto ended_early /* lock_wait_timeout */
    fi;
    atomic {
        owner = NOBODY;
        if
        :: name_swap_del == NONE && name_swap_gho == GHOST && name_t == ORIGINAL ->
           name_swap_del = ORIGINAL; name_t = GHOST; name_swap_gho = NONE;
           assert(no_write_lost);
           rename_state[me] = 2
        :: else -> rename_state[me] = 3 /* the sentry stands there, or there is no ghost by that name */
        fi
    };
    goto over;
ended_early:
    rename_state[me] = 3;
over:
    skip
}
#endif

/* ==== The shards' own deadline ==== */

#ifdef GATE
active proctype shards() {
end:
    do
#ifdef GRACE
    :: atomic { timeout && (closed[0] || closed[1]) && !deadline -> deadline = true; assert(!the_deadline_came) }
#else
    :: atomic { (closed[0] || closed[1]) && !deadline -> deadline = true }
#endif
#ifndef WITHOUT_DEADLINE
#ifdef ALWAYS_PRESUME
    :: atomic { closed[0] && deadline -> closed[0] = false }
#else
    :: atomic {
           closed[0] && deadline ->
           closed[0] = false;
           /* No swap was announced, and none may be any more: who has an older view goes on. */
           if :: !announced -> sealed = false :: else -> skip fi
       }
#endif
    /* A second later, still not told: it presumes a swap. */
    :: atomic { sealed && !closed[0] && deadline -> told_swapped = true; sealed = false }
    :: atomic { closed[1] && deadline -> closed[1] = false }
#endif
    od
}
#endif

/* ==== The coordinator: one attempt after the other ==== */

/* The process may end anywhere. */
#define MAY_CRASH if :: crashes > 0 -> crashes--; goto crashed :: true fi
#define OR_CRASH :: crashes > 0 -> crashes--; goto crashed

inline send(what) {
    if
    :: atomic { alive[n] -> command[n]!what };
       do
       :: answer[n]?r -> break
       :: atomic { faults > 0 -> faults--; gone[n] = true; r = lost }; break /* the network is cut */
#ifndef WITHOUT_WATCH
       :: atomic { what == LOCK && !kill_query[n] && lock_waits[n] -> kill_query[n] = true } /* statement_watch */
#endif
       OR_CRASH
       od
    :: !alive[n] -> r = lost
    fi
}

/* settle_swap(): which table is which? In SENTRY it first ends what is pending and gives back the usual names. */
inline settle_swap() {
#ifndef SENTRY
    /* What waits is killed: for the sake of time, since the barrier would wait for its lock_wait_timeout. */
    if
    :: renaming[0] -> kill_connection[0] = true; !renaming[0]
    :: !renaming[0]
    fi;
#if ATTEMPTS > 1
    if
    :: renaming[1] -> kill_connection[1] = true; !renaming[1]
    :: !renaming[1]
    fi;
#endif
#ifndef WITHOUT_BARRIER
    /* A RENAME that was sent, and that the server has not read, is in no list: but its session has the table's lock. A
     * statement that reads nothing from the table waits for that. */
    owner == NOBODY;
#endif
#else
    do
    :: a_rename_is_pending && name_swap_del == SENTRY_TABLE ->
       atomic { kill_pending_renames };
       (!a_rename_is_pending || name_swap_del != SENTRY_TABLE)
    :: a_rename_is_pending && name_swap_del == NONE ->
       /* The name cannot be taken while the rename has it. */
       atomic {
           owner != RENAMER ->
           if
           :: name_swap_del == NONE -> name_swap_del = SENTRY_TABLE
           :: else -> skip
           fi
       }
    :: a_rename_is_pending && name_swap_del == ORIGINAL -> !a_rename_is_pending
    :: !a_rename_is_pending -> break
    OR_CRASH
    od;
    /* The ghost goes first: without it under that name the swap cannot take place any more. */
    atomic {
        owner == NOBODY ->
        if
        :: name_swap_gho == GHOST -> name_gho = GHOST; name_swap_gho = NONE
        :: else -> skip
        fi
    };
    atomic {
        owner == NOBODY ->
        if
        :: name_swap_del == SENTRY_TABLE -> name_swap_del = NONE
        :: name_swap_del == ORIGINAL && name_gho == NONE -> name_del = ORIGINAL; name_swap_del = NONE
        :: else -> skip
        fi
    };
#endif
    swapped = (name_gho != GHOST && name_del == ORIGINAL);
    outcome_unknown = false
}

inline open_gate() {
#ifdef GATE
    /* What is open behind a swap refuses views that are older. */
    atomic {
        if :: swapped || may_have_swapped -> told_swapped = true :: else -> skip fi;
        sealed = false; announced = false; closed[0] = false
    };
    closed[1] = false
#else
    skip
#endif
}

/* A gate that has opened by itself refuses it. */
inline announce_swap() {
#if defined(SNAPSHOT) && !defined(WITHOUT_ANNOUNCING)
    if
    :: atomic { closed[0] && sealed -> announced = true; once_announced = true }
#ifdef ANNOUNCED_TOO_LATE
    :: atomic { !(closed[0] && sealed) -> once_announced = true }
#else
    :: !(closed[0] && sealed) -> given_up = true; goto open
#endif
    fi;
    MAY_CRASH
#else
    once_announced = true
#endif
}

inline unlock() {
    if
    :: alive[n] && !gone[n] -> send(UNLOCK)
    :: else -> skip
    fi
}

active proctype coordinator() {
    byte n = 0;
    mtype r;
    byte end_position, last;
    bool swapped = false, may_have_swapped, given_up, has_position;

attempt:
    atomic {
        assert(name_t == ORIGINAL); /* it works for a table that is still there */
        belief = working;
        may_have_swapped = false; given_up = false; has_position = false; deadline = false; r = ok;
        alive[n] = true;
        run lock_session(n)
#ifdef SENTRY
        ; run rename_session(n)
#endif
    };
#ifdef SENTRY
names:
    /* The applier is parked, the sentry is made, the ghost gets its swap name. The gate is still open. */
    parked = true;
    if
    :: batch == 0
    :: given_up = true; goto open
    OR_CRASH
    fi;
#if !defined(WITHOUT_SENTRY) && !defined(RENAME_BEFORE_SENTRY)
    name_swap_del = SENTRY_TABLE;
    MAY_CRASH;
#endif
    atomic { owner == NOBODY -> name_swap_gho = GHOST; name_gho = NONE };
#ifdef RENAME_BEFORE_SENTRY
    rename_sent[n] = true;
    atomic { name_swap_del == NONE -> name_swap_del = SENTRY_TABLE };
#endif
    MAY_CRASH;
#endif

#ifdef POSITION_BEFORE_LOCK
    end_position = logged; has_position = true;
#endif

close:
#ifdef GATE
    closed[0] = true;
#ifndef CLOSE_ONE_SHARD
    closed[1] = true;
#endif
#endif
    MAY_CRASH;

drain:
#if !defined(WITHOUT_DRAIN) && defined(GATE)
    if
    :: !in_use[0] && !in_use[1] && !in_use[2]
    :: EXPIRED -> given_up = true; goto open
    OR_CRASH
    fi;
#endif
#ifdef SNAPSHOT
    if
    :: atomic { closed[0] -> sealed = true }
    :: !closed[0] -> given_up = true; goto open
    fi;
#endif
#ifdef CLOSE_ONE_SHARD
    closed[1] = true; /* it hears of it only now */
#endif
#if !defined(WITHOUT_PARK) && !defined(SENTRY)
    parked = true;
    if
    :: batch == 0
    :: EXPIRED -> given_up = true; goto open
    OR_CRASH
    fi;
#endif
    MAY_CRASH;

lock:
#ifndef WITHOUT_LOCK
    send(LOCK);
    if
    :: r == ok && !kill_query[n]
    :: else -> given_up = true; goto open
    fi;
#endif
    MAY_CRASH;

position:
    if
    :: alive[n] && !has_position -> end_position = logged
    :: alive[n] && has_position
    :: !alive[n] -> r = lost; goto open
    fi;
#ifndef WITHOUT_READ_THROUGH
    if
    :: read_to >= end_position
    :: EXPIRED -> given_up = true; goto open
    OR_CRASH
    fi;
#endif
    MAY_CRASH;

apply:
    /* By the session that has the lock: without it, this fails. */
    atomic { last = pending; pending = 0 };
    if
    :: atomic { alive[n] -> in_ghost = (in_ghost & (255 - last)) | (in_original & last) }
    :: atomic { !alive[n] -> pending = pending | last; r = lost }; goto open
    fi;
    MAY_CRASH;

rename:
    if
    :: EXPIRED -> given_up = true; goto open
    :: true /* it may come while the rename is on its way */
    fi;
    MAY_CRASH;
#ifndef SENTRY
    announce_swap();
    atomic { may_have_swapped = true; outcome_unknown = true };
#ifdef TWO_RENAMES
    send(RENAME_TO_OLD);
#else
    send(RENAME);
#endif
    if
    :: r == ok -> swapped = true; outcome_unknown = false
    :: else -> skip
    fi;
#else
    rename_sent[n] = true;
    MAY_CRASH;
#ifdef DROP_BEFORE_SEEN
    send(DROP_SENTRY);
    if :: r == ok :: else -> goto open fi;
    if
    :: rename_queued[n] || rename_state[n] >= 2
    :: EXPIRED -> goto open
    OR_CRASH
    fi;
#else
    /* see_it_wait() */
    if
#ifdef NAMES_NOT_BEHIND
    :: is_renaming(n)
#else
    :: is_renaming(n) && rename_queued[n]
#endif
    :: rename_state[n] >= 2 -> given_up = true; goto open
    :: EXPIRED -> given_up = true; goto open
    :: !alive[n] -> r = lost; goto open
    OR_CRASH
    fi;
    announce_swap();
    atomic { may_have_swapped = true; outcome_unknown = true };
#ifndef WITHOUT_SENTRY
    send(DROP_SENTRY);
    if :: r == ok :: else -> goto open fi;
#endif
#endif
    send(UNLOCK);
    if
    :: rename_state[n] == 2 -> swapped = true; outcome_unknown = false
    :: rename_state[n] == 3 -> outcome_unknown = false
    :: faults > 0 -> faults-- /* the renaming connection is lost: its answer will not come */
    OR_CRASH
    fi;
#endif

open:
#ifdef OPEN_BEFORE_UNLOCK
    open_gate();
    unlock();
#else
    unlock();
    open_gate();
#endif
    MAY_CRASH;
#ifdef SENTRY
    if
    :: rename_sent[n] && !may_have_swapped && rename_state[n] < 2 -> /* sentry_swap::end() */
       kill_rename[n] = true;
       if
       :: rename_state[n] >= 2
       OR_CRASH
       fi
    :: else -> skip
    fi;
#endif

    /* conclude() */
    if
    :: swapped -> goto has_swapped
    :: else -> skip
    fi;
#ifdef SENTRY
    may_have_swapped = true; /* the tables must get their usual names back in any case */
#endif
    if
#ifndef WITHOUT_ASKING
    :: may_have_swapped || r == lost ->
       /* ask_the_server(): replace() ends the lost connection for certain */
       kill_connection[n] = true;
       if
       :: !alive[n]
       OR_CRASH
       fi;
       settle_swap()
#endif
    :: else -> skip
    fi;
    if
    :: swapped -> goto has_swapped
    :: else -> kill_connection[n] = true; parked = false
    fi;
    n++;
    if
    :: n < ATTEMPTS -> goto attempt
    :: else -> belief = says_not_swapped; goto over
    fi;

crashed:
    /* Its connections have lost their client; what they were told, they may still do. The gate is left as it is. */
    atomic { gone[n] = true; parked = true };
restart:
    /* settle_interrupted() */
    settle_swap();
    if
    :: swapped -> goto has_swapped
    :: else -> skip
    fi;
    n++;
    if
    :: n < ATTEMPTS
    :: else -> belief = says_not_swapped; goto over
    fi;
    /* The ghost is dropped, which waits for its lock, and made and copied again. */
    atomic { owner == NOBODY -> name_gho = NONE };
    atomic { assert(name_t == ORIGINAL); batch == 0 -> name_gho = GHOST; in_ghost = in_original; parked = false };
#if defined(SENTRY) && !defined(UNREAD_FOR_EVER)
    /* Assumed: while all this was copied, the server has read what the earlier process had sent to it. */
    (!rename_sent[0] || rename_state[0] != 0);
#endif
    goto attempt;

has_swapped:
    belief = says_swapped;
over:
    skip
}

/* ==== Invariants that hold in every state ==== */

active proctype invariants() {
end:
    atomic {
        !no_write_lost || name_t == NONE || (belief == says_swapped && name_t != GHOST) ||
            (belief == says_not_swapped && name_t != ORIGINAL) ->
        assert(no_write_lost);
        assert(name_t != NONE);
        assert(belief != says_swapped || name_t == GHOST);
        assert(belief != says_not_swapped || name_t == ORIGINAL)
    }
}

#ifdef PROGRESS
ltl no_statement_is_held_for_ever { [] ((held[0] || held[1]) -> <> (!held[0] && !held[1])) && [] (closed[0] -> <> !closed[0]) }
#endif
