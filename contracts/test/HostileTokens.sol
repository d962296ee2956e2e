// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice The least of an ERC-20, for tokens that misbehave.
abstract contract PlainToken {
    mapping(address account => uint256) public balanceOf;

    constructor(address holder) {
        balanceOf[holder] = type(uint128).max;
    }

    function transfer(address to, uint256 amount) external virtual returns (bool) {
        _move(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external virtual returns (bool) {
        _move(from, to, amount);
        return true;
    }

    function _move(address from, address to, uint256 amount) internal {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// @notice Moves nothing while it is frozen.
contract FreezingToken is PlainToken {
    error Frozen();

    bool private _frozen;

    constructor(address holder) PlainToken(holder) {}

    function freeze(bool frozen) external {
        _frozen = frozen;
    }

    function transfer(address to, uint256 amount) external override returns (bool) {
        if (_frozen) revert Frozen();
        _move(msg.sender, to, amount);
        return true;
    }
}

/// @notice Keeps one part in a hundred of every deposit.
contract FeeToken is PlainToken {
    constructor(address holder) PlainToken(holder) {}

    function transferFrom(address from, address to, uint256 amount) external override returns (bool) {
        balanceOf[from] -= amount;
        balanceOf[to] += amount - amount / 100;
        return true;
    }
}

/// @notice Calls back once in the middle of a transfer.
contract ReentrantToken is PlainToken {
    error Reentered(bytes reason);

    address private _target;
    bytes private _call;

    constructor() PlainToken(msg.sender) {}

    function aim(address target, bytes calldata call_) external {
        (_target, _call) = (target, call_);
    }

    function transferFrom(address from, address to, uint256 amount) external override returns (bool) {
        _callBack();
        _move(from, to, amount);
        return true;
    }

    function transfer(address to, uint256 amount) external override returns (bool) {
        _callBack();
        _move(msg.sender, to, amount);
        return true;
    }

    function _callBack() private {
        address target = _target;
        if (target == address(0)) return;
        _target = address(0);
        (bool done, bytes memory reason) = target.call(_call);
        if (!done) revert Reentered(reason);
    }
}

/// @notice Pays everybody but one receiver, whom it refuses in a way of choice.
contract SpitefulToken is PlainToken {
    enum Spite {
        Revert,
        AnswerFalse,
        AnswerTwo,
        AnswerShort,
        BurnGas,
        AnswerLong,
        CallBackAndAnswerFalse
    }

    address private _victim;
    Spite private _spite;
    address private _target;
    bytes private _call;

    constructor(address holder) PlainToken(holder) {}

    function spite(address victim, Spite how) external {
        (_victim, _spite) = (victim, how);
    }

    function aim(address target, bytes calldata call_) external {
        (_target, _call) = (target, call_);
    }

    function transfer(address to, uint256 amount) external override returns (bool) {
        if (to == _victim) _refuse();
        _move(msg.sender, to, amount);
        return true;
    }

    function _refuse() private {
        Spite how = _spite;
        if (how == Spite.Revert) revert("spite");
        if (how == Spite.AnswerFalse) _answer(0, 32);
        if (how == Spite.AnswerTwo) _answer(2, 32);
        if (how == Spite.AnswerShort) _answer(1, 31);
        if (how == Spite.AnswerLong) _answer(0, 50_000);
        if (how == Spite.BurnGas) {
            while (true) {}
        }
        _victim = address(0);
        (bool done,) = _target.call(_call);
        require(done, "call back failed");
        _answer(0, 32);
    }

    function _answer(uint256 word, uint256 size) private pure {
        assembly {
            mstore(0x00, word)
            return(0x00, size)
        }
    }
}

/// @notice Answers transfers with nothing at all, as some early tokens do.
contract SilentToken {
    mapping(address account => uint256) public balanceOf;

    constructor(address holder) {
        balanceOf[holder] = type(uint128).max;
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }

    function transferFrom(address from, address to, uint256 amount) external {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}
